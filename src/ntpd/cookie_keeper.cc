#include "ntpd/cookie_keeper.h"

#include <cstdio>
#include <span>
#include <utility>

#include "crypto/digest.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/random.h"
#include "sys/secret_file.h"

namespace timepool::ntpd {
namespace {

constexpr const char* kSeedCommand = "timepool ntp cookie-seed";

void wipe(std::string& text) {
  crypto::wipe(std::as_writable_bytes(std::span(text.data(), text.size())));
}

nts::ChainSecret random_secret() {
  nts::ChainSecret out;
  sys::fill_random(out);
  return out;
}

// The start of a chain's epoch, for a clock that is not believed.
UnixTime start_of(const nts::KeyChain& chain) {
  return chain.next_epoch() - chain.rotation();
}

std::string path_of(const config::NtsCookiesConfig& config, const std::string& state_directory) {
  if (!config.file.empty()) return config.file;
  return state_directory.empty() ? "" : state_directory + "/" + CookieKeeper::kFile;
}

}  // namespace

CookieKeeper::CookieKeeper(net::Reactor& reactor, sys::Logger& logger, ReadClock clock,
                           Changed changed)
    : reactor_(reactor), logger_(logger), clock_(std::move(clock)), changed_(std::move(changed)) {}

// The chain of the file; nothing where there is none, which may only be where keys are not shared.
Result<std::optional<nts::KeyChain>> CookieKeeper::read() const {
  auto text = sys::read_secret_file(path_, nts::kMaxChainText);
  if (!text.ok()) {
    if (text.error().code != ErrorCode::kNotFound) return fail(std::move(text).error());
    if (!config_.shared) return std::optional<nts::KeyChain>();
    return fail(Error{ErrorCode::kNotFound, path_,
                      std::string("[nts.cookies] shared needs the file of another server, or a "
                                  "first one by: ") +
                          kSeedCommand});
  }
  auto chain = nts::KeyChain::parse(*text);
  wipe(*text);
  if (!chain.ok()) {
    return fail(Error{ErrorCode::kInvalid, path_, std::string(nts::describe(chain.error()))});
  }
  return std::optional(std::move(chain).value());
}

// A clock that is not good might be far ahead, and a chain can't go back: it begins in 1970.
nts::KeyChain CookieKeeper::fresh(Clock clock) const {
  return nts::KeyChain::begin(random_secret(), config_.rotation,
                              clock.good ? clock.now : UnixTime());
}

Result<nts::KeyChain> CookieKeeper::chain_from_file(Clock clock) {
  Result<std::optional<nts::KeyChain>> found = read();
  const bool damaged = !found.ok() && found.error().code == ErrorCode::kInvalid;
  // A chain in use is not given up for it.
  if (damaged && !config_.shared && !chain_) {
    const std::string aside = path_ + ".bad";
    const bool moved = std::rename(path_.c_str(), aside.c_str()) == 0;
    logger_.error("{}: new keys are made, and clients must establish keys anew{}",
                  found.error().text(), moved ? "; it is " + aside + " now" : "");
    found = std::optional<nts::KeyChain>();
  }
  if (!found.ok()) return fail(std::move(found).error());
  if (!*found) return fresh(clock);
  nts::KeyChain chain = **found;
  if (chain.rotation() == config_.rotation) return chain;
  if (config_.shared) {
    return fail(Error{ErrorCode::kInvalid, path_,
                      "its keys last " + format(chain.rotation()) +
                          ", and [nts.cookies] rotation is " + format(config_.rotation) +
                          ": they must be the same on all servers"});
  }
  chain.advance(start_of(chain), config_.past, crypto::hmac_sha256);
  nts::KeyChain next = fresh(clock);
  next.take_past(chain);
  return next;
}

Result<void> CookieKeeper::configure(const std::optional<config::NtsCookiesConfig>& config,
                                     const std::string& state_directory) {
  if (!config) {
    timer_.cancel();
    chain_.reset();
    if (std::exchange(keys_, nullptr)) changed_(nullptr);
    return {};
  }
  const Clock clock = clock_();
  const config::NtsCookiesConfig old_config = std::exchange(config_, *config);
  const std::string old_path = std::exchange(path_, path_of(*config, state_directory));
  Result<nts::KeyChain> next = path_.empty() ? chain_in_memory(clock) : chain_from_file(clock);
  if (!next.ok()) {
    config_ = old_config;
    path_ = old_path;
    return fail(std::move(next).error());
  }
  take(*next);
  saved_ = false;
  rotate(clock);
  publish();
  save();
  wait();
  return {};
}

nts::KeyChain CookieKeeper::chain_in_memory(Clock clock) {
  if (chain_ && chain_->rotation() == config_.rotation) return *chain_;
  logger_.warning("[nts.cookies] neither file nor state_directory: the keys are lost at the end");
  return fresh(clock);
}

// The chain from now on. The one in use may be ahead of its file, or behind it where another
// process has written that.
void CookieKeeper::take(nts::KeyChain next) {
  next.advance(start_of(next), config_.past, crypto::hmac_sha256);
  if (chain_) {
    nts::KeyChain old = *chain_;
    old.advance(start_of(next), config_.past, crypto::hmac_sha256);
    next.advance(start_of(*chain_), config_.past, crypto::hmac_sha256);
    if (old.same_seed(next)) {
      next = old;
    } else {
      logger_.info("the keys of cookies are others now; cookies of those before still open");
      next.take_past(old);
    }
  }
  chain_ = next;
}

// Goes on to the epoch of the clock.
void CookieKeeper::rotate(Clock clock) {
  const std::uint64_t before = chain_->epoch();
  const UnixTime now = clock.good ? clock.now : start_of(*chain_);
  // Some other clock was ahead once: this one would not get there for long.
  const bool ahead = start_of(*chain_) > now + chain_->rotation();
  const nts::ChainStep step = chain_->advance(now, config_.past, crypto::hmac_sha256);
  if (ahead || step == nts::ChainStep::kTooFar) make_anew(clock);
  if (chain_->epoch() == before) return;
  ++rotations_;
  saved_ = false;
}

// Clock and chain are too far from each other, as after the first start of a machine without one.
void CookieKeeper::make_anew(Clock clock) {
  if (!config_.shared) {
    chain_ = chain_->succeeded_by(random_secret(), config_.rotation, clock.now);
    chain_->advance(clock.now, config_.past, crypto::hmac_sha256);
    return;
  }
  if (std::exchange(told_too_far_, true)) return;
  logger_.error("{}: its keys are of {}, too far from the clock: they stay; for others: {}", path_,
                format_utc(start_of(*chain_)), kSeedCommand);
}

void CookieKeeper::publish() {
  const auto wiped = [](nts::CookieKeys* keys) {
    for (nts::CookieKey& it : keys->keys) crypto::wipe(it.secret);
    delete keys;
  };
  keys_ = std::shared_ptr<nts::CookieKeys>(new nts::CookieKeys(chain_->keys(++serial_)), wiped);
  changed_(keys_);
}

void CookieKeeper::save() {
  if (saved_ || path_.empty()) return;
  std::string text = chain_->text();
  const Result<void> written = sys::write_file_atomic(path_, text, 0600);
  wipe(text);
  saved_ = written.ok();
  if (saved_) {
    if (std::exchange(told_unsaved_, false)) logger_.info("{}: written again", path_);
  } else if (!std::exchange(told_unsaved_, true)) {
    logger_.error("{}: {}: after a restart the keys of cookies may be others", path_,
                  written.error().text());
  }
}

void CookieKeeper::look() {
  if (!chain_) return;
  const std::uint64_t before = rotations_;
  rotate(clock_());
  if (rotations_ != before) {
    logger_.info("the keys of cookies rotated; the next time is {}",
                 format_utc(chain_->next_epoch()));
    publish();
  }
  save();
  wait();
}

void CookieKeeper::wait() {
  timer_ = reactor_.at(sys::mono_now() + kInterval, [this] { look(); });
}

std::optional<CookieKeeper::Report> CookieKeeper::report() const {
  if (!chain_) return std::nullopt;
  Report out;
  out.file = path_;
  out.shared = config_.shared;
  out.saved = saved_;
  out.epoch = chain_->epoch();
  out.next_epoch = chain_->next_epoch();
  out.past = chain_->past();
  out.rotations = rotations_;
  return out;
}

}  // namespace timepool::ntpd
