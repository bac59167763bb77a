#include "proxy/login_desk.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "proxy/login_facts.hpp"
#include "proxy/login_queue.hpp"
#include "proxy/peer_names.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto server_patience = 3s;
constexpr auto retry_interval = 50ms;
constexpr auto connect_patience = 5s;
constexpr auto answer_patience = 10s;
constexpr std::size_t most_at_once = 64;
constexpr std::size_t most_waiting = 20'000;
// How soon a load of the server's settings is seen: of two within this time the first one's pg_hba.conf may stay unknown.
constexpr auto look_interval = 1s;

}  // namespace

class LoginDesk::Work {
public:
    explicit Work(FindServer find_server) : find_server_(std::move(find_server)), thread_([this] { run(); }) {}

    ~Work() {
        {
            std::lock_guard const guard(mutex_);
            stopping_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

    void ask(std::uint64_t id, LoginQuestion question, Answer answer) {
        auto const source = login_source(question.peer_address);
        std::optional<Waiting> turned_away;
        {
            std::lock_guard const guard(mutex_);
            turned_away = waiting_.push(id, source, {id, std::move(question), std::move(answer)});
        }
        changed_.notify_one();
        if (turned_away) turned_away->answer(fail("looking up who may log in", "", "too many clients are logging in"));
    }

    void forget(std::uint64_t id) {
        {
            std::lock_guard const guard(mutex_);
            waiting_.remove(id);
        }
        names_.forget(id);
    }

private:
    struct Waiting {
        std::uint64_t id;
        LoginQuestion question;
        Answer answer;
    };

    void run() {
        while (auto batch = next_batch()) {
            if (batch->empty()) look_around();
            else serve(*batch);
        }
    }

    void serve(std::vector<Waiting>& batch) {
        std::vector<LoginQuestion> questions;
        for (auto const& waiting : batch) questions.push_back(waiting.question);
        auto const answers = stopping() ? stopped() : answers_to(questions);
        // What one login makes fail is not to be the others' failure.
        bool const is_worth_asking_each = !answers && batch.size() > 1 && server_ && server_->usable();
        for (std::size_t at = 0; at < batch.size(); ++at) {
            give(batch[at], is_worth_asking_each ? answer_to(questions[at]) : one_of(answers, at));
        }
    }

    void give(Waiting& waiting, Result<LoginAnswer> found) {
        if (!found) return waiting.answer(fail(std::move(found.error())));
        if (!found->open_case) return waiting.answer(std::move(found->facts));
        auto const address = found->open_case->login.peer_address;
        names_.ask(waiting.id, address, [found = std::move(*found), answer = std::move(waiting.answer)](PeerName name) mutable {
            auto const verdict = std::move(*found.open_case).verdict(std::move(name));
            found.facts.method = verdict.method;
            found.facts.refusal = verdict.refusal;
            answer(std::move(found.facts));
        });
    }

    // What waits by now; empty where nothing does for a while, nothing once the desk closes and nothing waits.
    std::optional<std::vector<Waiting>> next_batch() {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, look_interval, [this] { return stopping_ || !waiting_.empty(); });
        std::vector<Waiting> batch;
        while (batch.size() < most_at_once) {
            auto next = waiting_.pop();
            if (!next) break;
            batch.push_back(std::move(*next));
        }
        if (stopping_ && batch.empty()) return std::nullopt;
        return batch;
    }

    void look_around() {
        if (!server_) return;
        // An error shows again when somebody asks.
        static_cast<void>(server_->look(Deadline::in(answer_patience)));
        if (!server_->usable()) server_.reset();
    }

    bool stopping() {
        std::lock_guard const guard(mutex_);
        return stopping_;
    }

    static Result<std::vector<LoginAnswer>> stopped() {
        return fail(Error{"looking up who may log in", "", "the endpoint stops", "", ErrorKind::stopped});
    }

    static Result<LoginAnswer> one_of(Result<std::vector<LoginAnswer>> const& answers, std::size_t at) {
        if (!answers) return fail(answers.error());
        return (*answers)[at];
    }

    Result<LoginAnswer> answer_to(LoginQuestion const& question) { return one_of(answers_to({question}), 0); }

    Result<std::vector<LoginAnswer>> answers_to(std::vector<LoginQuestion> const& questions) {
        bool const was_connected = server_ && server_->usable();
        auto answers = try_once(questions);
        // A session that was good the last time may have died since; a new one has the last word.
        if (!answers && was_connected && !server_) answers = try_once(questions);
        if (!answers) return fail(Error(answers.error()).within("looking up who may log in"));
        return answers;
    }

    Result<std::vector<LoginAnswer>> try_once(std::vector<LoginQuestion> const& questions) {
        PGTANDEM_CHECK(connect());
        auto answers = server_->ask(questions, Deadline::in(answer_patience));
        if (!server_->usable()) server_.reset();
        return answers;
    }

    // A server that is just starting again, or another one that takes its place, is waited for.
    Status connect() {
        auto const deadline = Deadline::in(server_patience);
        for (;;) {
            auto const status = connect_now();
            if (status || deadline.passed() || !pause()) return status;
        }
    }

    // False: the desk closes.
    bool pause() {
        std::unique_lock lock(mutex_);
        return !changed_.wait_for(lock, retry_interval, [this] { return stopping_; });
    }

    // To the server that is right now; another one than before after a failover.
    Status connect_now() {
        PGTANDEM_TRY(conninfo, find_server_());
        if (server_ && server_->usable() && conninfo == connected_to_) return {};
        server_.reset();
        if (conninfo != connected_to_) rules_ = {};
        connected_to_ = conninfo;
        PGTANDEM_TRY(server, LoginServer::connect(conninfo, rules_, Deadline::in(connect_patience)));
        server_.emplace(std::move(server));
        return {};
    }

    FindServer find_server_;
    // Of the thread only, as is what it is connected to. The rules stay over a lost session.
    HbaRules rules_;
    std::optional<LoginServer> server_;
    Conninfo connected_to_;

    std::mutex mutex_;
    std::condition_variable changed_;
    LoginQueue<Waiting> waiting_{most_waiting};
    bool stopping_ = false;
    PeerNames names_{};
    std::thread thread_;
};

LoginDesk::LoginDesk(FindServer find_server) : work_(std::make_unique<Work>(std::move(find_server))) {}

LoginDesk::~LoginDesk() = default;

void LoginDesk::ask(std::uint64_t id, LoginQuestion question, Answer answer) { work_->ask(id, std::move(question), std::move(answer)); }

void LoginDesk::forget(std::uint64_t id) { work_->forget(id); }

}  // namespace pgtandem::proxy
