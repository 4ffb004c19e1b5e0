"""Python's own sleep, which fails below libfaketime 0.9.10: it shifts the absolute time of the monotonic clock as well."""

import select
import time


def sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = sleep
