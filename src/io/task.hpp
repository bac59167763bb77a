// A coroutine that starts when it is awaited and belongs to the one who awaits it. No thread, no allocation but its
// frame.
#pragma once
#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace pgtandem::io {

template <class Value>
class Task;

namespace detail {

struct PromiseBase {
    std::coroutine_handle<> continuation;

    struct Final {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
            auto const next = ended.promise().continuation;
            return next ? next : std::noop_coroutine();
        }
        void await_resume() const noexcept {}
    };

    std::suspend_always initial_suspend() const noexcept { return {}; }
    Final final_suspend() const noexcept { return {}; }
};

template <class Value>
struct Promise : PromiseBase {
    std::optional<Value> value;
    std::exception_ptr thrown;

    Task<Value> get_return_object();
    template <class Given>
    void return_value(Given&& given) {
        value.emplace(std::forward<Given>(given));
    }
    void unhandled_exception() { thrown = std::current_exception(); }
    Value take() {
        if (thrown) std::rethrow_exception(thrown);
        return std::move(*value);
    }
};

template <>
struct Promise<void> : PromiseBase {
    std::exception_ptr thrown;

    Task<void> get_return_object();
    void return_void() const {}
    void unhandled_exception() { thrown = std::current_exception(); }
    void take() const {
        if (thrown) std::rethrow_exception(thrown);
    }
};

}  // namespace detail

template <class Value = void>
class [[nodiscard]] Task {
public:
    using promise_type = detail::Promise<Value>;
    using Handle = std::coroutine_handle<promise_type>;

    Task() = default;
    explicit Task(Handle handle) : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            destroy();
            handle_ = std::exchange(other.handle_, {});
        }
        return *this;
    }
    ~Task() { destroy(); }

    // For the owner of a conversation: runs it until it first waits. Whatever it waits for resumes it.
    void start() const { handle_.resume(); }
    bool done() const { return !handle_ || handle_.done(); }
    // Of a task that is done: its value, or the exception that ended it.
    Value take() const { return handle_.promise().take(); }

    auto operator co_await() && noexcept {
        struct Awaiter {
            Handle handle;
            bool await_ready() const noexcept { return false; }
            std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) const noexcept {
                handle.promise().continuation = waiting;
                return handle;
            }
            Value await_resume() const { return handle.promise().take(); }
        };
        return Awaiter{handle_};
    }

private:
    void destroy() {
        if (handle_) handle_.destroy();
        handle_ = {};
    }
    Handle handle_;
};

namespace detail {

template <class Value>
Task<Value> Promise<Value>::get_return_object() {
    return Task<Value>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
    return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

}  // namespace detail

}  // namespace pgtandem::io
