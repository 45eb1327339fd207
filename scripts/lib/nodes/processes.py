"""A process that is started, killed, stopped and started anew, with a log of its own."""

import shutil
import signal
import socket
import subprocess

STOP_SECONDS_MAX = 20


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Process:
    def __init__(self, name, command, environment, log):
        self.name = name
        self.command = [str(word) for word in command]
        # So that it does not outlive a run that was itself killed.
        if shutil.which("setpriv"):
            self.command = ["setpriv", "--pdeathsig", "KILL", *self.command]
        self.environment = environment
        self.log = log
        self.process = None
        # Not to be started now.
        self.held = False

    def release(self):
        self.held = False
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            # In a session of its own, out of reach of the terminal's Ctrl-C.
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
                start_new_session=True)

    @property
    def runs(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """Without warning, wherever it is; also while it is stopped."""
        if self.runs:
            self.process.kill()
            self.process.wait()

    def pause(self):
        if self.runs:
            self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        if self.runs:
            self.process.send_signal(signal.SIGCONT)

    def stop(self):
        """As an operator would. Returns what was wrong about it, or None."""
        if not self.runs:
            return None
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            code = self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            return f"{self.name} did not end within {STOP_SECONDS_MAX} s of SIGTERM"
        return None if code == 0 else f"{self.name} ended with code {code}: {self.last_words()}"

    def last_words(self):
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1] if lines else "it said nothing"
