#include "io/uring.hpp"

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace pgtandem::io {

namespace {

constexpr unsigned requests = 1024;
constexpr unsigned completions_kept = 16384;
constexpr std::uint64_t op_mask = 3;
static_assert(alignof(UringTarget) >= 4);

std::uint64_t tag(UringTarget& target, UringOp op) {
    return reinterpret_cast<std::uintptr_t>(&target) | static_cast<std::uint64_t>(op);
}

constexpr std::size_t ring_bytes(unsigned buffers) { return buffers * sizeof(io_uring_buf); }
constexpr std::size_t memory_bytes(unsigned buffers, unsigned each) {
    return ring_bytes(buffers) + std::size_t{buffers} * each;
}

__kernel_timespec time_left(Clock::time_point until) {
    if (until == Clock::time_point::min()) return {};
    auto const left = std::max(until - Clock::now(), Clock::duration::zero());
    auto const seconds = std::chrono::floor<std::chrono::seconds>(left);
    return {seconds.count(), std::chrono::nanoseconds(left - seconds).count()};
}

}  // namespace

void Uring::Unmap::operator()(void* memory) const { munmap(memory, memory_bytes(buffers, buffer_bytes)); }

Result<std::unique_ptr<Uring>> Uring::make() {
    std::unique_ptr<Uring> made(new Uring);
    PGTANDEM_CHECK(made->open());
    PGTANDEM_CHECK(made->add_buffers());
    return made;
}

// A kernel that knows these flags (6.1) has all else that is used here. The ring is disabled at first: it belongs to
// the thread that enables it.
Status Uring::open() {
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |
                       IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE;
    parameters.cq_entries = completions_kept;
    auto const result = io_uring_queue_init_params(requests, &ring_, &parameters);
    if (result < 0) return fail("making an event loop", "io_uring", errno_text(-result));
    is_open_ = true;
    return {};
}

Status Uring::add_buffers() {
    auto* const memory =
        mmap(nullptr, memory_bytes(buffers, buffer_bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return fail_errno("making an event loop", "its buffers");
    memory_.reset(memory);
    free_buffers_ = static_cast<io_uring_buf_ring*>(memory);
    buffer_memory_ = static_cast<char*>(memory) + ring_bytes(buffers);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
    registration.ring_entries = buffers;
    auto const result = io_uring_register_buf_ring(&ring_, &registration, 0);
    if (result < 0) return fail("making an event loop", "io_uring's buffers", errno_text(-result));
    for (unsigned number = 0; number < buffers; ++number) return_buffer(number << IORING_CQE_BUFFER_SHIFT);
    return {};
}

Uring::~Uring() {
    if (!is_open_) return;
    if (!is_foreign()) submit();
    io_uring_queue_exit(&ring_);
}

io_uring_sqe* Uring::request() {
    if (is_foreign()) return nowhere_.get();
    auto* request = io_uring_get_sqe(&ring_);
    while (!request) {
        submit();
        request = io_uring_get_sqe(&ring_);
    }
    return request;
}

void Uring::finish(io_uring_sqe* request, UringTarget& target, UringOp op) {
    request->user_data = tag(target, op);
    ++target.in_flight;
}

void Uring::receive(UringTarget& target, int fd) {
    auto* const wanted = request();
    io_uring_prep_recv_multishot(wanted, fd, nullptr, 0, 0);
    wanted->flags |= IOSQE_BUFFER_SELECT;
    wanted->buf_group = 0;
    finish(wanted, target, UringOp::receive);
}

void Uring::receive_once(UringTarget& target, int fd) {
    auto* const wanted = request();
    io_uring_prep_recv(wanted, fd, nullptr, buffer_bytes, 0);
    wanted->flags |= IOSQE_BUFFER_SELECT;
    wanted->buf_group = 0;
    finish(wanted, target, UringOp::receive);
}

void Uring::poll_input(UringTarget& target, int fd) {
    auto* const wanted = request();
    io_uring_prep_poll_multishot(wanted, fd, POLLIN);
    finish(wanted, target, UringOp::poll);
}

void Uring::poll_output(UringTarget& target, int fd) {
    auto* const wanted = request();
    io_uring_prep_poll_add(wanted, fd, POLLOUT);
    finish(wanted, target, UringOp::poll);
}

void Uring::send(UringTarget& target, int fd, std::string_view bytes) {
    auto* const wanted = request();
    io_uring_prep_send(wanted, fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL);
    wanted->flags |= IOSQE_CQE_SKIP_SUCCESS;
    wanted->user_data = tag(target, UringOp::send);
}

void Uring::close(int fd) {
    if (is_foreign()) {
        ::close(fd);
        return;
    }
    auto* const wanted = request();
    io_uring_prep_close(wanted, fd);
    wanted->flags |= IOSQE_CQE_SKIP_SUCCESS;
    wanted->user_data = 0;
}

void Uring::cancel(UringTarget& target, UringOp op) {
    auto* const wanted = request();
    io_uring_prep_cancel64(wanted, tag(target, op), 0);
    wanted->flags |= IOSQE_CQE_SKIP_SUCCESS;
    wanted->user_data = 0;
}

void Uring::enable() {
    if (std::exchange(is_enabled_, true)) return;
    owner_ = std::this_thread::get_id();
    // Not io_uring_enable_rings(): liburing 2.3 declares it but does not export it.
    syscall(SYS_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
}

void Uring::submit() {
    enable();
    io_uring_submit(&ring_);
}

void Uring::submit_and_wait(Clock::time_point until) {
    enable();
    io_uring_cqe* first = nullptr;
    auto left = time_left(until);
    io_uring_submit_and_wait_timeout(&ring_, &first, 1, until == Clock::time_point::max() ? nullptr : &left, nullptr);
    // Short of memory the kernel may have taken only some: none may be left, since sends are taken as done.
    while (io_uring_sq_ready(&ring_) > 0) io_uring_submit(&ring_);
    collect();
}

void Uring::collect() {
    completions_.clear();
    do {
        unsigned head = 0;
        unsigned count = 0;
        io_uring_cqe* each = nullptr;
        io_uring_for_each_cqe(&ring_, head, each) {
            ++count;
            if (each->user_data == 0) continue;
            auto* const target = reinterpret_cast<UringTarget*>(each->user_data & ~op_mask);  // NOLINT(performance-no-int-to-ptr): user_data is one
            completions_.push_back({target, static_cast<UringOp>(each->user_data & op_mask), each->res, each->flags});
        }
        io_uring_cq_advance(&ring_, count);
    } while (io_uring_cq_has_overflow(&ring_) && io_uring_get_events(&ring_) >= 0);
}

std::string_view Uring::received(int result, unsigned flags) const {
    auto const number = flags >> IORING_CQE_BUFFER_SHIFT;
    return {buffer_memory_ + std::size_t{number} * buffer_bytes, static_cast<std::size_t>(result)};
}

void Uring::return_buffer(unsigned flags) {
    auto const number = static_cast<unsigned short>(flags >> IORING_CQE_BUFFER_SHIFT);
    auto* const buffer = buffer_memory_ + std::size_t{number} * buffer_bytes;
    io_uring_buf_ring_add(free_buffers_, buffer, buffer_bytes, number, io_uring_buf_ring_mask(buffers), 0);
    io_uring_buf_ring_advance(free_buffers_, 1);
}

}  // namespace pgtandem::io
