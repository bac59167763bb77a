#include "proxy/statement_judge.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace pgtandem::proxy {

namespace {

constexpr std::size_t waiting_bytes_max = 4 << 20;

}  // namespace

class StatementJudge::Work {
public:
    explicit Work(io::Loop& loop) : loop_(loop), thread_([this] { run(); }) {}

    ~Work() {
        {
            std::lock_guard const guard(mutex_);
            ends_ = true;
        }
        wakes_.notify_one();
        thread_.join();
    }

    bool ask(Question question, Answer answer) {
        {
            std::lock_guard const guard(mutex_);
            if (waiting_bytes_ + question.text.size() > waiting_bytes_max) return false;
            waiting_bytes_ += question.text.size();
            waiting_.emplace_back(std::move(question), std::move(answer));
        }
        wakes_.notify_one();
        return true;
    }

private:
    using Waiting = std::pair<Question, Answer>;

    void run() {
        for (std::unique_lock lock(mutex_);; lock.lock()) {
            wakes_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
            if (ends_) return;
            auto [question, answer] = std::move(waiting_.front());
            waiting_.pop_front();
            waiting_bytes_ -= question.text.size();
            lock.unlock();
            sql::judge(question.analysis, question.text, question.strings_conform, *question.facts, question.path);
            loop_.post([answer = std::move(answer), analysis = std::move(question.analysis)]() mutable { answer(std::move(analysis)); });
        }
    }

    io::Loop& loop_;
    std::mutex mutex_;
    std::condition_variable wakes_;
    std::deque<Waiting> waiting_;
    std::size_t waiting_bytes_ = 0;
    bool ends_ = false;
    std::thread thread_;
};

StatementJudge::StatementJudge(io::Loop& loop) : loop_(loop) {}

StatementJudge::~StatementJudge() = default;

bool StatementJudge::ask(Question question, Answer answer) {
    if (!work_) work_ = std::make_unique<Work>(loop_);
    return work_->ask(std::move(question), std::move(answer));
}

}  // namespace pgtandem::proxy
