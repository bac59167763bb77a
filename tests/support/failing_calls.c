/* Preloaded into a program: makes the next calls of one kind fail, as a file that both sides map says. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct order {
    char call[64];
    int error;
    int left; /* how many calls are still to fail */
    int hits;
};

static struct order *orders;

__attribute__((constructor)) static void map_orders(void) {
    char const *path = getenv("FAILING_CALLS");
    if (path == NULL) return;
    int const fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *const mapped = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (mapped != MAP_FAILED) orders = mapped;
}

/* The error with which this call is to fail; 0: it is to be made. */
static int error_for(char const *call) {
    if (orders == NULL || __atomic_load_n(&orders->left, __ATOMIC_ACQUIRE) <= 0 || strcmp(orders->call, call) != 0) return 0;
    if (__atomic_fetch_sub(&orders->left, 1, __ATOMIC_ACQ_REL) <= 0) return 0;
    __atomic_fetch_add(&orders->hits, 1, __ATOMIC_ACQ_REL);
    return orders->error;
}

#define FAIL(type, call, failed, parameters, arguments)                 \
    type call parameters {                                              \
        static type (*real) parameters;                                 \
        int const error = error_for(#call);                             \
        if (error != 0) {                                               \
            errno = error;                                              \
            return failed;                                              \
        }                                                               \
        if (real == NULL) real = (type(*) parameters)dlsym(RTLD_NEXT, #call); \
        return real arguments;                                          \
    }

FAIL(int, socket, -1, (int domain, int type, int protocol), (domain, type, protocol))
FAIL(int, accept4, -1, (int fd, __SOCKADDR_ARG address, socklen_t *length, int flags), (fd, address, length, flags))
FAIL(int, connect, -1, (int fd, __CONST_SOCKADDR_ARG address, socklen_t length), (fd, address, length))
FAIL(ssize_t, recv, -1, (int fd, void *bytes, size_t count, int flags), (fd, bytes, count, flags))
FAIL(ssize_t, send, -1, (int fd, void const *bytes, size_t count, int flags), (fd, bytes, count, flags))
FAIL(ssize_t, sendmsg, -1, (int fd, struct msghdr const *message, int flags), (fd, message, flags))
FAIL(ssize_t, read, -1, (int fd, void *bytes, size_t count), (fd, bytes, count))
FAIL(ssize_t, write, -1, (int fd, void const *bytes, size_t count), (fd, bytes, count))
FAIL(int, poll, -1, (struct pollfd *entries, nfds_t count, int patience), (entries, count, patience))
FAIL(int, eventfd, -1, (unsigned count, int flags), (count, flags))
FAIL(int, epoll_create1, -1, (int flags), (flags))
FAIL(int, epoll_ctl, -1, (int fd, int what, int other, struct epoll_event *event), (fd, what, other, event))
FAIL(int, epoll_wait, -1, (int fd, struct epoll_event *events, int count, int patience), (fd, events, count, patience))
FAIL(int, setsockopt, -1, (int fd, int level, int name, void const *value, socklen_t length), (fd, level, name, value, length))
FAIL(int, getsockopt, -1, (int fd, int level, int name, void *value, socklen_t *length), (fd, level, name, value, length))

int open(char const *path, int flags, ...) {
    static int (*real)(char const *, int, ...);
    int const error = error_for("open");
    if (error != 0) {
        errno = error;
        return -1;
    }
    if (real == NULL) real = (int (*)(char const *, int, ...))dlsym(RTLD_NEXT, "open");
    va_list rest;
    va_start(rest, flags);
    mode_t const mode = va_arg(rest, mode_t);
    va_end(rest);
    return real(path, flags, mode);
}

/* Those of liburing give the error as what they return. */
#define FAIL_RING(call, parameters, arguments)                                \
    int call parameters {                                                     \
        static int(*real) parameters;                                         \
        int const error = error_for(#call);                                   \
        if (error != 0) return -error;                                        \
        if (real == NULL) real = (int(*) parameters)dlsym(RTLD_NEXT, #call);  \
        return real arguments;                                                \
    }

FAIL_RING(io_uring_queue_init_params, (unsigned entries, void *ring, void *parameters), (entries, ring, parameters))
FAIL_RING(io_uring_register_buf_ring, (void *ring, void *buffers, unsigned flags), (ring, buffers, flags))
FAIL_RING(io_uring_submit, (void *ring), (ring))
FAIL_RING(io_uring_get_events, (void *ring), (ring))
FAIL_RING(io_uring_submit_and_wait_timeout, (void *ring, void *cqe, unsigned count, void *patience, void *mask), (ring, cqe, count, patience, mask))
