"""What the polite client takes upon itself and puts up with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one client takes upon itself and puts up with. Times are in seconds."""

    attempts: int = 4  # of one GET, the first among them
    retry_seconds: float = 180.0  # no further attempt begins after this
    wait_seconds: float = 60.0  # a longer wait asked for ends the visit
    connect_seconds: float = 5.0  # an IPv6 address that leads nowhere must not take all the time there is
    read_seconds: float = 30.0  # between two pieces of an answer
    answer_seconds: float = 90.0  # for one answer, whole
    body_bytes: int = 10_000_000  # decoded
    ratio: float = 200.0  # of decoded to received bytes; text reaches about 20
    redirects: int = 5
    connections: int = 100  # at once; more gains nothing in one process
    connections_per_host: int = 4
    interval_seconds: float = 1.0  # between the starts of two requests to one host
    quiet_seconds: float = 5.0  # a stream that sends nothing for so long has nothing more for now
    stream_seconds: float = 1_800.0  # for reading one stream


DEFAULT_LIMITS = Limits()
