"""What the machine is, and what it does besides the measurement."""

import os
import pathlib
import platform
import resource

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Machine:
    @staticmethod
    def describe():
        model = next(
            (line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")), platform.machine())
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return {"cores": os.cpu_count(), "cpu": model, "memory_bytes": memory, "kernel": platform.release()}

    @staticmethod
    def busy_seconds():
        """CPU seconds of everything, in all cores, idle and waiting time left out."""
        fields = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
        user, nice, system, _idle, _wait, irq, softirq, steal = (int(field) for field in fields)
        return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND

    @staticmethod
    def children_seconds():
        """CPU seconds of this process and of its children that ended."""
        return sum(
            usage.ru_utime + usage.ru_stime
            for usage in map(resource.getrusage, (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)))


def server_seconds(postmaster):
    """CPU seconds of the postmaster, its children, and those that ended."""
    while True:
        own = process(postmaster)
        children = [
            other for folder in pathlib.Path("/proc").iterdir()
            if folder.name.isdigit() and (other := process(int(folder.name))) and other["parent"] == postmaster]
        # A child that ended while we looked would be missing, or counted twice.
        if process(postmaster)["ticks_of_ended"] == own["ticks_of_ended"]:
            ticks = own["ticks"] + own["ticks_of_ended"] + sum(child["ticks"] for child in children)
            return ticks / TICKS_PER_SECOND


def process(number):
    """Of /proc/PID/stat; None where the process ended meanwhile."""
    try:
        text = pathlib.Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return None
    fields = text[text.rindex(")") + 1:].split()
    return {
        "parent": int(fields[1]), "ticks": sum(int(field) for field in fields[11:13]),
        "ticks_of_ended": sum(int(field) for field in fields[13:15])}
