"""What runs on a stand-in server, as the package `standin` in /usr/lib/bmnb-standin. It is not BlueMind.

Python's standard library alone, from 3.9 on, which Debian 11 has.
"""
