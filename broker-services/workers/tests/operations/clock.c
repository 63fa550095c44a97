/* Lets a process that is started with it see a wall clock that is off by the milliseconds in the file CLOCK_OFFSET_FILE, which
   is read anew each time. Its other clocks are left alone. It allocates nothing: an allocator may ask for the time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long offset_ms(void) {
    const char *path = getenv("CLOCK_OFFSET_FILE");
    char text[32];
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) {
        return 0;
    }
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    text[length < 0 ? 0 : length] = 0;
    return atoll(text);
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    int failed = (int)syscall(SYS_clock_gettime, clock, at);
    if (failed || clock != CLOCK_REALTIME) {
        return failed;
    }
    long long ns = at->tv_nsec + offset_ms() % 1000 * 1000000LL;
    at->tv_sec += offset_ms() / 1000 + (ns < 0 ? -1 : ns / 1000000000LL);
    at->tv_nsec = (ns + 1000000000LL) % 1000000000LL;
    return 0;
}
