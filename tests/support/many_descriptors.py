"""As many open files as the system lets this process have: for tests that are many clients."""
import contextlib
import resource


@contextlib.contextmanager
def many_descriptors():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
