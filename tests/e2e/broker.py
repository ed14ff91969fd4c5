"""What the tests ask of Kafka, through librdkafka, which Fanfare needs anyway."""

import ctypes
import time
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_int32, c_int64, c_size_t, c_void_p

import c_library

_lib, _declare = c_library.load("librdkafka.so.1")
_PRODUCER, _CONSUMER = 0, 1
_COPY = 2
_V_END, _V_TOPIC, _V_VALUE, _V_KEY, _V_FLAGS, _V_TIMESTAMP, _V_HEADER = (c_int(n) for n in (0, 1, 4, 5, 7, 8, 9))
_BEGINNING = -2
_PARTITION_EOF = -191


class _Message(Structure):
    _fields_ = [("err", c_int), ("topic", c_void_p), ("partition", c_int32), ("payload", c_void_p),
                ("len", c_size_t), ("key", c_void_p), ("key_len", c_size_t), ("offset", c_int64),
                ("private", c_void_p)]


class _TopicPartition(Structure):
    _fields_ = [("topic", c_char_p), ("partition", c_int32), ("offset", c_int64),
                ("metadata", c_void_p), ("metadata_size", c_size_t), ("opaque", c_void_p),
                ("err", c_int), ("private", c_void_p)]


_conf_new = _declare("rd_kafka_conf_new", c_void_p)
_conf_set = _declare("rd_kafka_conf_set", c_int, c_void_p, c_char_p, c_char_p, c_char_p, c_size_t)
_new = _declare("rd_kafka_new", c_void_p, c_int, c_void_p, c_char_p, c_size_t)
_destroy = _declare("rd_kafka_destroy", None, c_void_p)
_producev = _lib.rd_kafka_producev
_producev.restype = c_int
_flush = _declare("rd_kafka_flush", c_int, c_void_p, c_int)
_outq_len = _declare("rd_kafka_outq_len", c_int, c_void_p)
_list_new = _declare("rd_kafka_topic_partition_list_new", c_void_p, c_int)
_list_add = _declare("rd_kafka_topic_partition_list_add", POINTER(_TopicPartition), c_void_p,
                     c_char_p, c_int32)
_list_destroy = _declare("rd_kafka_topic_partition_list_destroy", None, c_void_p)
_assign = _declare("rd_kafka_assign", c_int, c_void_p, c_void_p)
_poll = _declare("rd_kafka_consumer_poll", POINTER(_Message), c_void_p, c_int)
_message_destroy = _declare("rd_kafka_message_destroy", None, POINTER(_Message))
_headers = _declare("rd_kafka_message_headers", c_int, POINTER(_Message), POINTER(c_void_p))
_header = _declare("rd_kafka_header_get_all", c_int, c_void_p, c_size_t, POINTER(c_char_p),
                   POINTER(c_void_p), POINTER(c_size_t))
_error = _declare("rd_kafka_err2str", c_char_p, c_int)
_queue_new = _declare("rd_kafka_queue_new", c_void_p, c_void_p)
_queue_poll = _declare("rd_kafka_queue_poll", c_void_p, c_void_p, c_int)
_queue_destroy = _declare("rd_kafka_queue_destroy", None, c_void_p)
_event_error = _declare("rd_kafka_event_error", c_int, c_void_p)
_event_destroy = _declare("rd_kafka_event_destroy", None, c_void_p)
_delete_new = _declare("rd_kafka_DeleteTopic_new", c_void_p, c_char_p)
_delete_topics = _declare("rd_kafka_DeleteTopics", None, c_void_p, POINTER(c_void_p), c_size_t,
                          c_void_p, c_void_p)
_delete_destroy = _declare("rd_kafka_DeleteTopic_destroy", None, c_void_p)
_topic_new = _declare("rd_kafka_NewTopic_new", c_void_p, c_char_p, c_int, c_int, c_char_p, c_size_t)
_topic_set = _declare("rd_kafka_NewTopic_set_config", c_int, c_void_p, c_char_p, c_char_p)
_create_topics = _declare("rd_kafka_CreateTopics", None, c_void_p, POINTER(c_void_p), c_size_t,
                          c_void_p, c_void_p)
_topic_destroy = _declare("rd_kafka_NewTopic_destroy", None, c_void_p)


class _Client:
    def __init__(self, kind, brokers, **settings):
        conf = _conf_new()
        text = ctypes.create_string_buffer(512)
        settings = {"bootstrap.servers": brokers, "log_level": "0", **settings}
        for key, value in settings.items():
            if _conf_set(conf, key.encode(), str(value).encode(), text, 512) != 0:
                raise RuntimeError(text.value.decode())
        self.handle = _new(kind, conf, text, 512)
        if not self.handle:
            raise RuntimeError(text.value.decode())

    def __enter__(self):
        return self.handle

    def __exit__(self, *_):
        _destroy(self.handle)


def _put(client, topic, key, value, headers, at=None):
    """One message with headers of text or bytes, perhaps of another moment."""
    wanted = [_V_TOPIC, c_char_p(topic.encode()), _V_VALUE, c_char_p(value), c_size_t(len(value)),
              _V_KEY, c_char_p(key), c_size_t(len(key)), _V_FLAGS, c_int(_COPY)]
    for name, text in headers.items():
        text = text if isinstance(text, bytes) else text.encode()
        wanted += [_V_HEADER, c_char_p(name.encode()), c_char_p(text), c_size_t(len(text))]
    if at is not None:
        wanted += [_V_TIMESTAMP, c_int64(int(at.timestamp() * 1000))]
    return _producev(c_void_p(client), *wanted, _V_END)


class Publisher:
    """A connection to publish by; good for many calls of send()."""

    def __init__(self, brokers, timeout_s=120, linger_ms=5):
        self._timeout_ms = timeout_s * 1000
        self._client = _Client(_PRODUCER, brokers, **{"message.max.bytes": 8388608, "linger.ms": linger_ms,
                                                      "message.timeout.ms": self._timeout_ms})

    def __enter__(self):
        return self

    def __exit__(self, *fault):
        self._client.__exit__(*fault)

    def send(self, topic, messages):
        """Writes (key, value) pairs of bytes, or with headers of text or bytes, or with these and the moment
        of the client's clock, and returns when the broker has all of them."""
        for key, value, *more in messages:
            if _put(self._client.handle, topic, key, value, *(more or [{}])) != 0:
                raise RuntimeError(f"cannot publish to {topic}")
        _flush(self._client.handle, self._timeout_ms)
        left = _outq_len(self._client.handle)
        if left:
            raise RuntimeError(f"{left} messages did not reach {topic}")


def publish(brokers, topic, messages, timeout_s=120):
    """Writes (key, value) pairs of bytes, and returns when the broker has all of them."""
    with Publisher(brokers, timeout_s) as publisher:
        publisher.send(topic, messages)


def _headers_of(message):
    found = {}
    headers = c_void_p()
    if _headers(message, byref(headers)) != 0:
        return found
    name, value, size = c_char_p(), c_void_p(), c_size_t()
    index = 0
    while _header(headers, index, byref(name), byref(value), byref(size)) == 0:
        found[name.value.decode()] = ctypes.string_at(value, size.value).decode("utf-8", "replace")
        index += 1
    return found


def read(brokers, topic, partitions, enough, timeout_s=120):
    """All messages of a topic from its beginning as (value, headers), at least `enough` of
    them; fewer when the time is over."""
    found = []
    with _Client(_CONSUMER, brokers, **{"group.id": "e2e-reader", "enable.auto.commit": "false",
                                        "enable.partition.eof": "true"}) as client:
        places = _list_new(partitions)
        for partition in range(partitions):
            _list_add(places, topic.encode(), partition).contents.offset = _BEGINNING
        _assign(client, places)
        _list_destroy(places)
        ends, deadline = set(), time.monotonic() + timeout_s
        while time.monotonic() < deadline and (len(found) < enough or len(ends) < partitions):
            message = _poll(client, 100)
            if not message:
                continue
            head = message.contents
            if head.err == _PARTITION_EOF:
                ends.add(head.partition)
            elif head.err == 0:
                found.append((ctypes.string_at(head.payload, head.len), _headers_of(message)))
            _message_destroy(message)
        _assign(client, None)
    return found


def _change_topics(brokers, wanted, ask, destroy, what, timeout_s):
    """Asks for a change of each topic in `wanted`, and waits for the answer."""
    with _Client(_PRODUCER, brokers) as client:
        wanted = (c_void_p * len(wanted))(*wanted)
        queue = _queue_new(client)
        ask(client, wanted, len(wanted), None, queue)
        event = _queue_poll(queue, timeout_s * 1000)
        failed = not event or _event_error(event) != 0
        why = _error(_event_error(event)).decode() if event else "no answer"
        if event:
            _event_destroy(event)
        for topic in wanted:
            destroy(topic)
        _queue_destroy(queue)
        if failed:
            raise RuntimeError(f"cannot {what} topics: {why}")


def delete_topics(brokers, topics, timeout_s=120):
    """Deletes topics; one that is not there is no fault."""
    wanted = [_delete_new(topic.encode()) for topic in topics]
    _change_topics(brokers, wanted, _delete_topics, _delete_destroy, "delete", timeout_s)


def create_topics(brokers, topics, partitions=1, timeout_s=120, **config):
    """Creates topics as somebody else might, with none but this configuration: create_topics(b, ["t"],
    message_timestamp_type="CreateTime")"""
    wanted = []
    for topic in topics:
        wanted.append(_topic_new(topic.encode(), partitions, 1, None, 0))
        for key, value in config.items():
            _topic_set(wanted[-1], key.replace("_", ".").encode(), value.encode())
    _change_topics(brokers, wanted, _create_topics, _topic_destroy, "create", timeout_s)
