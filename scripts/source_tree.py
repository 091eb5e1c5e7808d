"""The state of the source tree."""
import subprocess


def commit_of(folder):
    """The commit of the source tree that a folder is in, with +changes when there are others; its documents, and what
    docs/ holds besides, may have changed since."""
    def git(*arguments):
        return subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True,
                              check=True).stdout.strip()
    try:
        changes = git("status", "--porcelain", "--untracked-files=no", "--", ":(top)", ":(top,exclude)*.md",
                      ":(top,exclude)docs")
        return git("rev-parse", "--short", "HEAD") + ("+changes" if changes else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
