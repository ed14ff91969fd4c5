"""librdkafka's mock cluster, held by the test: it refuses, delays and moves what the test says. It has no transactions,
forgets beyond 5 MB a partition and is asked for nothing but its errors."""

from ctypes import c_char_p, c_int, c_int16, c_int32, c_size_t, c_void_p

import broker
from broker import _Client, _declare

PRODUCE, OFFSET_COMMIT, FIND_COORDINATOR, JOIN_GROUP, HEARTBEAT, SYNC_GROUP = 0, 8, 10, 11, 12, 14
TRANSPORT, NOT_LEADER, TIMED_OUT, COORDINATOR_LOADING, COORDINATOR_GONE, NOT_COORDINATOR = -195, 6, 7, 14, 15, 16
NOT_ENOUGH_REPLICAS, ILLEGAL_GENERATION, UNKNOWN_MEMBER, REBALANCING = 19, 22, 25, 27

_cluster = _declare("rd_kafka_handle_mock_cluster", c_void_p, c_void_p)
_bootstraps = _declare("rd_kafka_mock_cluster_bootstraps", c_char_p, c_void_p)
_topic_create = _declare("rd_kafka_mock_topic_create", c_int, c_void_p, c_char_p, c_int, c_int)
_push_errors = _declare("rd_kafka_mock_push_request_errors_array", None, c_void_p, c_int16, c_size_t, c_void_p)
_set_rtt = _declare("rd_kafka_mock_broker_set_rtt", c_int, c_void_p, c_int32, c_int)
_set_leader = _declare("rd_kafka_mock_partition_set_leader", c_int, c_void_p, c_char_p, c_int32, c_int32)
_set_coordinator = _declare("rd_kafka_mock_coordinator_set", c_int, c_void_p, c_char_p, c_char_p, c_int32)


class MockBroker:
    def __init__(self, topics, partitions, brokers=2):
        self._client = _Client(broker._PRODUCER, "mock", **{"test.mock.num.brokers": brokers})
        self._cluster = _cluster(self._client.handle)
        self.brokers = _bootstraps(self._cluster).decode()
        for topic in topics:
            _topic_create(self._cluster, topic.encode(), partitions, brokers)

    def refuse(self, request, *errors):
        """The next requests of this kind are answered with these errors, one each."""
        _push_errors(self._cluster, request, len(errors), (c_int * len(errors))(*errors))

    def delay(self, milliseconds):
        for number in (1, 2):
            _set_rtt(self._cluster, number, milliseconds)

    def lead(self, topic, partition, number):
        """Who leads a partition; -1 for nobody."""
        _set_leader(self._cluster, topic.encode(), partition, number)

    def coordinate(self, group, number):
        """Who coordinates a group."""
        _set_coordinator(self._cluster, b"group", group.encode(), number)

    def stop(self):
        self._client.__exit__()
