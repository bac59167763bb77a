// Judges long statements on a thread of its own: PostgreSQL's parser takes a quarter of a second for a megabyte, and a worker's loop
// serves others meanwhile. Until the answer is there a statement is taken for one that belongs to the primary.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "io/loop.hpp"
#include "sql/analyze.hpp"

namespace pgtandem::proxy {

class StatementJudge {
public:
    struct Question {
        std::string text;
        bool strings_conform = true;
        std::shared_ptr<sql::CatalogFacts const> facts;
        sql::SearchPath path;
        sql::Analysis analysis;  // without a verdict
    };
    using Answer = std::function<void(sql::Analysis)>;

    // Of one worker.
    explicit StatementJudge(io::Loop& loop);
    ~StatementJudge();  // what still waits gets no answer

    // False: too much waits already. 'answer' comes on the loop.
    bool ask(Question question, Answer answer);

private:
    class Work;
    io::Loop& loop_;
    std::unique_ptr<Work> work_;  // none before the first question
};

}  // namespace pgtandem::proxy
