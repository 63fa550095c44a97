"""An AMQP client that is none of ours. It does what it is told on its input, one JSON object a line, and says what
came of it on its output, one JSON value a line. A body is told as text with one character for each byte."""

import json
import sys
import time

import pika

ANSWER_WITHIN_SECONDS = 20
DIRECT = "amq.rabbitmq.reply-to"

# For tables within tables.
sys.setrecursionlimit(200_000)
connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
own = channel.queue_declare("", exclusive=True).method.queue
heard = []


def hear(_channel, method, properties, body):
    heard.append((properties.correlation_id, body))


channel.basic_consume(DIRECT, hear, auto_ack=True)
channel.basic_consume(own, hear, auto_ack=True)


def publish(told, reply_to=None, correlation_id=None):
    properties = pika.BasicProperties(reply_to=reply_to, correlation_id=correlation_id)
    given = dict(told.get("properties", {}))
    if "message_id_bytes" in given:
        properties.message_id = given.pop("message_id_bytes").encode("latin-1")
    if "headers_depth" in given:
        properties.headers = {}
        for _ in range(given.pop("headers_depth")):
            properties.headers = {"": properties.headers}
    for name, value in given.items():
        setattr(properties, name, value)
    body = told["body"].encode("latin-1")
    channel.basic_publish(told.get("exchange", "skstore.commands"), told["key"], body, properties)


def ask(told):
    """Asks, and waits for the answer to this very question."""
    correlation_id = told["correlation_id"]
    publish(told, {"direct": DIRECT, "queue": own}[told["reply"]], correlation_id)
    until = time.monotonic() + ANSWER_WITHIN_SECONDS
    while time.monotonic() < until:
        for answer in [answer for answer in heard if answer[0] == correlation_id]:
            heard.remove(answer)
            return json.loads(answer[1])
        connection.process_data_events(time_limit=0.05)
    return None


def get(told):
    """Takes a message off a queue; requeues it if told so."""
    method, properties, body = channel.basic_get(told["queue"])
    if method is None:
        return None
    if told.get("requeue"):
        channel.basic_nack(method.delivery_tag, requeue=True)
    else:
        channel.basic_ack(method.delivery_tag)
    return {
        "body": body.decode("latin-1"),
        "headers": properties.headers or {},
        "reply_to": properties.reply_to,
        "correlation_id": properties.correlation_id,
        "message_id": properties.message_id,
        "priority": properties.priority,
        "expiration": properties.expiration,
        "redelivered": method.redelivered,
    }


def length(told):
    return channel.queue_declare(told["queue"], passive=True).method.message_count


def tell(told):
    publish(told, told.get("reply_to"))
    return True


for line in sys.stdin:
    told = json.loads(line)
    print(json.dumps({"ask": ask, "get": get, "length": length, "tell": tell}[told["do"]](told), default=str), flush=True)
