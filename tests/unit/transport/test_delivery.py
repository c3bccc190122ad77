from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from steadyhand.transport.delivery import ReceiverState, SenderState

SESSION = "a"


def test_the_window_bounds_what_is_under_way():
    sender = SenderState(window=4)
    assert sender.sendable(10) == range(4)
    sender.on_sent(4)
    assert not sender.sendable(10)
    assert sender.on_ack(2)
    assert sender.sendable(10) == range(4, 6)
    assert sender.under_way == 2


def test_nothing_is_sendable_beyond_the_log():
    assert SenderState(window=4, next_seq=7).sendable(7) == range(7, 7)
    assert SenderState(window=4, next_seq=7).sendable(9) == range(7, 9)


def test_a_repeated_acknowledgement_goes_back_once():
    sender = SenderState(window=8)
    sender.on_sent(6)
    sender.on_ack(2)
    assert not sender.on_ack(2)
    assert sender.sendable(6) == range(2, 6)
    sender.on_sent(6)
    sender.on_ack(2)
    assert not sender.sendable(6)
    sender.on_silence()
    assert sender.sendable(6) == range(2, 6)


def test_messages_are_counted_until_the_last_record_of_each_is_acknowledged():
    sender = SenderState(window=9)
    for end in (3, 5, 9):
        sender.on_sent(end)
    assert sender.messages == 3
    sender.on_ack(4)
    assert sender.messages == 2
    sender.on_ack(9)
    assert sender.messages == 0
    sender.on_sent(12)
    sender.on_silence()
    assert sender.messages == 0


def test_an_old_acknowledgement_is_ignored():
    sender = SenderState(window=8, next_seq=5)
    sender.on_sent(7)
    assert not sender.on_ack(3)
    assert (sender.acked, sender.sent) == (5, 7)


def test_an_acknowledgement_of_what_was_sent_before_going_back_counts():
    sender = SenderState(window=8)
    sender.on_sent(6)
    sender.on_silence()
    assert sender.on_ack(5)
    assert sender.sendable(6) == range(5, 6)


def test_the_receiver_takes_only_what_is_next():
    receiver = ReceiverState({SESSION: 5})
    assert receiver.news(SESSION, 5, 3) == range(5, 8)
    assert not receiver.news(SESSION, 6, 3)  # a gap
    assert not receiver.news(SESSION, 2, 3)  # duplicates
    assert receiver.news(SESSION, 3, 4) == range(5, 7)  # partly duplicates
    assert receiver.next_seq("another") == 0


class Wire:
    """Two state machines and the messages between them; `log` is what is there to send, `stored` what arrived."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.sender = SenderState(window)
        self.receiver = ReceiverState()
        self.end = 0
        self.stored: list[int] = []
        self.there: deque[range] = deque()
        self.back: deque[int] = deque()

    def append(self, count: int) -> None:
        self.end += count

    def send(self, most: int) -> None:
        span = self.sender.sendable(self.end)[:most]
        if span:
            self.sender.on_sent(span.stop)
            self.there.append(span)

    def receive(self) -> None:
        if self.there:
            span = self.there.popleft()
            news = self.receiver.news(SESSION, span.start, len(span))
            self.stored.extend(news)
            if news:
                self.receiver.on_stored(SESSION, news.stop)
            self.back.append(self.receiver.next_seq(SESSION))

    def acknowledge(self) -> None:
        if self.back:
            self.sender.on_ack(self.back.popleft())

    def harm(self, how: str, which: int, place: int) -> None:
        queue = (self.there, self.back)[which % 2]
        if queue:
            place %= len(queue)
            if how == "drop":
                del queue[place]
            elif how == "duplicate":
                queue.insert(place, queue[place])
            else:
                queue[0], queue[place] = queue[place], queue[0]

    def restart(self, who: str) -> None:
        if who == "receiver":
            self.receiver = ReceiverState({SESSION: len(self.stored)})
        self.there.clear()
        self.back.clear()
        self.sender = SenderState(self.window, self.receiver.next_seq(SESSION))

    def check(self) -> None:
        assert self.stored == list(range(len(self.stored)))
        assert self.sender.acked <= len(self.stored) <= self.end
        assert self.sender.under_way <= self.window


ACTIONS = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 5)),
    st.tuples(st.just("send"), st.integers(1, 4)),
    st.just(("receive",)),
    st.just(("acknowledge",)),
    st.tuples(st.just("harm"), st.sampled_from(["drop", "duplicate", "swap"]), st.integers(0, 1), st.integers(0, 9)),
    st.tuples(st.just("restart"), st.sampled_from(["sender", "receiver"])),
)


@settings(max_examples=500, deadline=None)
@given(st.integers(1, 8), st.lists(ACTIONS, max_size=150))
def test_what_is_stored_is_a_prefix_of_what_was_sent_and_in_the_end_all_of_it(window, actions):
    wire = Wire(window)
    for name, *arguments in actions:
        getattr(wire, name)(*arguments)
        wire.check()
    # A wire that has become quiet delivers the rest.
    for _ in range(2):
        for _ in range(wire.end + 10):
            wire.send(4)
            wire.receive()
            wire.acknowledge()
            wire.check()
        while wire.there or wire.back:
            wire.receive()
            wire.acknowledge()
        wire.sender.on_silence()
    assert wire.stored == list(range(wire.end))
