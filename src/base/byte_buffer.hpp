// Bytes that grow at the end and are taken away from the front; an empty one holds no memory after release().
#pragma once
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

namespace pgtandem {

class ByteBuffer {
public:
    ByteBuffer() = default;
    ByteBuffer(ByteBuffer&& other) noexcept { swap(other); }
    ByteBuffer& operator=(ByteBuffer&& other) noexcept {
        ByteBuffer(std::move(other)).swap(*this);
        return *this;
    }

    bool empty() const { return begin_ == end_; }
    std::size_t size() const { return end_ - begin_; }
    std::size_t capacity() const { return capacity_; }
    std::string_view view() const { return {memory_.get() + begin_, size()}; }
    char* data() { return memory_.get() + begin_; }

    void append(std::string_view bytes) {
        if (bytes.empty()) return;
        std::memcpy(grow(bytes.size()), bytes.data(), bytes.size());
    }
    void append(char byte) { *grow(1) = byte; }

    // Adds 'count' bytes of no certain value and gives their place, which holds until the next change.
    char* grow(std::size_t count) {
        reserve(count);
        auto* const place = memory_.get() + end_;
        end_ += count;
        return place;
    }
    // Takes 'count' bytes back from the end: what grow() gave and nobody filled.
    void shrink(std::size_t count) { end_ -= count; }
    void consume(std::size_t count) {
        begin_ += count;
        if (begin_ == end_) begin_ = end_ = 0;
    }
    void clear() { begin_ = end_ = 0; }
    // Gives the memory back if nothing is in it.
    void release() {
        if (empty()) ByteBuffer().swap(*this);
    }
    void swap(ByteBuffer& other) noexcept {
        std::swap(memory_, other.memory_);
        std::swap(capacity_, other.capacity_);
        std::swap(begin_, other.begin_);
        std::swap(end_, other.end_);
    }

private:
    struct Free {
        void operator()(char* memory) const { std::free(memory); }
    };

    void reserve(std::size_t more) {
        if (end_ + more <= capacity_) return;
        if (begin_ > 0 && size() + more <= capacity_) {
            std::memmove(memory_.get(), memory_.get() + begin_, size());
        } else {
            auto const wanted = size() + more;
            auto const capacity = wanted < 512 ? 512 : wanted + wanted / 2;
            std::unique_ptr<char, Free> larger(static_cast<char*>(std::malloc(capacity)));
            if (!larger) throw std::bad_alloc();
            if (size() > 0) std::memcpy(larger.get(), memory_.get() + begin_, size());
            memory_ = std::move(larger);
            capacity_ = capacity;
        }
        end_ -= begin_;
        begin_ = 0;
    }

    std::unique_ptr<char, Free> memory_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace pgtandem
