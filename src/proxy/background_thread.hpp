// One thread that does one piece of work after the other, in the order in which they come. It begins with the first.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace pgtandem::proxy {

class BackgroundThread {
public:
    explicit BackgroundThread(char const* name) : name_(name) {}
    BackgroundThread(BackgroundThread const&) = delete;
    BackgroundThread& operator=(BackgroundThread const&) = delete;
    ~BackgroundThread();  // what has not begun is not done

    // From one thread only.
    void run(std::function<void()> work);

private:
    void work_on();

    char const* name_;  // no more than 15 bytes
    std::mutex mutex_;
    std::condition_variable wakes_;
    std::deque<std::function<void()>> waiting_;
    bool ends_ = false;
    std::thread thread_;
};

}  // namespace pgtandem::proxy
