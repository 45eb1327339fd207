"""The matchers, each with a gateway: processes that are killed and started anew."""

import shutil
import signal
import socket
import subprocess

STOP_SECONDS_MAX = 20


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Matchers:
    def __init__(self, program, count, folder, faults):
        self.ports = [free_port() for _ in range(count)]
        self.command = [program, "serve", "--log-level", "warning"]
        # So that no matcher outlives a run that was itself killed.
        if shutil.which("setpriv"):
            self.command = ["setpriv", "--pdeathsig", "KILL", *self.command]
        self.logs = [folder / f"matcher-{number}.log" for number in range(1, count + 1)]
        self.faults = faults
        self.processes = [self.start(number) for number in range(count)]
        self.kills = 0

    def start(self, number):
        with open(self.logs[number], "ab") as log:
            # In a session of its own, out of reach of the terminal's Ctrl-C.
            return subprocess.Popen(
                [*self.command, "--port", str(self.ports[number])], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def kill(self, number):
        """Kills one without warning, wherever it is."""
        self.processes[number].send_signal(signal.SIGKILL)
        if self.processes[number].wait() != -signal.SIGKILL:
            self.note_end(number)
        self.kills += 1
        self.processes[number] = None

    def tend(self):
        """Starts those anew that were killed; one that ended by itself is a fault."""
        for number, process in enumerate(self.processes):
            if process is not None and process.poll() is not None:
                self.note_end(number)
                process = None
            if process is None:
                self.processes[number] = self.start(number)

    def stop(self):
        """Ends them as an operator would; each must end in time, with exit code 0."""
        running = [(number, process) for number, process in enumerate(self.processes) if process is not None]
        for _, process in running:
            process.terminate()
        for number, process in running:
            try:
                if process.wait(STOP_SECONDS_MAX) != 0:
                    self.note_end(number)
            except subprocess.TimeoutExpired:
                self.faults.append(f"matcher {number + 1} did not end within {STOP_SECONDS_MAX} s of SIGTERM")
                process.kill()
                process.wait()
        self.processes = [None] * len(self.processes)

    def kill_all(self):
        for process in self.processes:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    def note_end(self, number):
        lines = self.logs[number].read_text(errors="replace").strip().splitlines()
        said = lines[-1] if lines else "it said nothing"
        self.faults.append(
            f"matcher {number + 1} ended by itself with code {self.processes[number].returncode}: {said}")
