//! Users of the broker, who may do so much and no more.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::vhost::Vhost;

/// What a user may do in a virtual host, by patterns of names: configure, write, read.
pub(crate) type Permissions = [&'static str; 3];

/// Everything.
pub(crate) const ALL: Permissions = [".*", ".*", ".*"];

impl Vhost {
    /// Makes a user with this password and these permissions, and tells the name.
    pub(crate) fn user(&self, password: &str, permissions: Permissions) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let user = format!("{}-{}", self.name, COUNT.fetch_add(1, Ordering::Relaxed));
        let who = serde_json::json!({ "password": password, "tags": "" });
        self.call("PUT", &format!("/api/users/{user}"), &who.to_string());
        self.permit(&user, permissions);
        user
    }

    /// Lets a user do so much from now on.
    pub(crate) fn permit(&self, user: &str, [configure, write, read]: Permissions) {
        let may = serde_json::json!({ "configure": configure, "write": write, "read": read });
        self.call("PUT", &format!("/api/permissions/{}/{user}", self.name), &may.to_string());
    }

    /// Ends all connections of a user: what a channel was once permitted is remembered for a while.
    pub(crate) fn disconnect(&self, user: &str) {
        self.call("DELETE", &format!("/api/connections/username/{user}"), "");
    }
}
