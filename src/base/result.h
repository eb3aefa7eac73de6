// Result<T, E>: a value or an error, never an exception. E is a one-byte enum on packet paths
// (no string, no allocation) and Error (error.h) for what the system or a file says.
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/error.h"

namespace timepool {

// Wraps an error so that it converts to any Result with that error type: `return
// fail(Bad::kShort);`
template <class E>
struct Failure {
  E error;
};

template <class E>
[[nodiscard]] constexpr Failure<std::decay_t<E>> fail(E&& error) {
  return {std::forward<E>(error)};
}

template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  using Value = T;
  using ErrorType = E;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: converts
  template <class F>
    requires std::is_convertible_v<F, E>
  Result(Failure<F> failure)  // NOLINT: converts
      : state_(std::in_place_index<1>, std::move(failure.error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // CHECKs ok().
  T& value() & { return *checked(std::get_if<0>(&state_)); }
  const T& value() const& { return *checked(std::get_if<0>(&state_)); }
  T&& value() && { return std::move(*checked(std::get_if<0>(&state_))); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T other) const& { return ok() ? value() : std::move(other); }

  // CHECKs !ok().
  E& error() & { return *checked(std::get_if<1>(&state_)); }
  const E& error() const& { return *checked(std::get_if<1>(&state_)); }
  E&& error() && { return std::move(*checked(std::get_if<1>(&state_))); }

 private:
  template <class P>
  static P* checked(P* pointer) {
    CHECK(pointer != nullptr);
    return pointer;
  }
  std::variant<T, E> state_;
};

// Success without a value: `return {};`
template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  using Value = void;
  using ErrorType = E;

  Result() = default;
  template <class F>
    requires std::is_convertible_v<F, E>
  Result(Failure<F> failure)  // NOLINT: converts
      : state_(std::in_place_index<1>, std::move(failure.error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  void value() const { CHECK(ok()); }
  E& error() & {
    CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  const E& error() const& {
    CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  E&& error() && {
    CHECK(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<std::monostate, E> state_;
};

}  // namespace timepool

// TRY(expr): the value of a Result, or returns its error from the enclosing function.
// `auto header = TRY(parse_header(reader));`  Not for coroutines.
#define TRY(expression)                                                             \
  __extension__({                                                                   \
    auto try_result_ = (expression);                                                \
    if (!try_result_.ok()) return ::timepool::fail(std::move(try_result_).error()); \
    std::move(try_result_).value();                                                 \
  })
