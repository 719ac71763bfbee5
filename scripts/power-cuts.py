"""Runs the power_cut example on a loop-mounted ext4, and cuts its power with the shutdown ioctl of the file system.

The file system stops at once, without writing its journal out: what was not synced is gone. Then it is mounted again, which
replays the journal, and the next life of the shard checks what the lives before have acknowledged.
"""

import fcntl, os, random, select, struct, subprocess, sys, tempfile, time

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
NO_LOG_FLUSH = 2
IMAGE_BYTES = 192 << 20
CUTS_PER_IMAGE = 25
START_SECONDS_MAX = 60
WRITING_SECONDS_MAX = 0.6
SEED = 20


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class Volume:
    """A file system of its own, unmounted and removed at the end."""

    def __init__(self, folder):
        self.image, self.mount = os.path.join(folder, "image"), os.path.join(folder, "mount")
        os.mkdir(self.mount)
        with open(self.image, "wb") as image:
            image.truncate(IMAGE_BYTES)
        run("mkfs.ext4", "-q", "-F", self.image)
        self.mounted = False

    def up(self):
        run("mount", "-o", "loop", self.image, self.mount)
        self.mounted = True

    def down(self):
        if self.mounted:
            run("umount", self.mount)
            self.mounted = False

    def cut(self):
        folder = os.open(self.mount, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(folder)


def life(binary, volume, acknowledged, chance):
    """One life of the shard, from its start to the cut; takes in what it acknowledges. Returns how often it did."""
    child = subprocess.Popen([binary, volume.mount], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    os.set_blocking(child.stdout.fileno(), False)
    text, cut_at, count, started = b"", None, 0, time.monotonic()
    try:
        for writer, number in acknowledged.items():
            child.stdin.write(f"{writer} {number}\n".encode())
        child.stdin.close()
        cut = False
        while True:
            now = time.monotonic()
            if cut_at is None and now - started > START_SECONDS_MAX:
                raise SystemExit("the shard did not start in time")
            if cut_at is not None and now >= cut_at and not cut and not select.select([child.stdout], [], [], 0)[0]:
                volume.cut()
                cut = True
            select.select([child.stdout], [], [], 0.002)
            part = child.stdout.read()
            if part == b"":
                break
            text += part or b""
            *lines, text = text.split(b"\n")
            for line in lines:
                words = line.decode().split(" ", 1)
                if words[0] == "checked":
                    cut_at = time.monotonic() + chance.random() ** 2 * WRITING_SECONDS_MAX
                elif words[0] == "ended":
                    if not cut:
                        raise SystemExit(f"WRONG: {line.decode()}")
                elif not cut:
                    # What is said after the cut does not count: a machine without power says nothing, and a sync that was
                    # under way in that moment may come back as if it had worked.
                    acknowledged[words[0]] = int(words[1])
                    count += 1
        child.wait()
        if not cut:
            raise SystemExit("the shard ended by itself")
        return count
    finally:
        child.kill()
        child.wait()


def main():
    binary, cuts = os.path.abspath(sys.argv[1]), int(sys.argv[2])
    chance, batches, started = random.Random(SEED), 0, time.monotonic()
    done = 0
    while done < cuts:
        with tempfile.TemporaryDirectory() as folder:
            volume, acknowledged = Volume(folder), {}
            try:
                for _ in range(min(CUTS_PER_IMAGE, cuts - done)):
                    volume.up()
                    batches += life(binary, volume, acknowledged, chance)
                    volume.down()
                    done += 1
                # The last cut of an image is checked as well.
                volume.up()
                batches += life(binary, volume, acknowledged, chance)
                done += 1
            finally:
                volume.down()
    print(f"{done} power cuts, {batches} batches acknowledged, nothing lost, in {time.monotonic() - started:.0f} s")


main()
