#include "dnsd/account_reporter.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>

#include "base/hex.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/random.h"
#include "sys/secret_file.h"

namespace timepool::dnsd {
namespace json = boost::json;
namespace {

constexpr std::size_t kMaxToken = 258;
// kMaxSpooled batches of 1 MiB.
constexpr std::size_t kMaxSpoolFile = std::size_t{64} << 20;

std::string random_key() {
  std::array<std::byte, 16> bytes;
  sys::fill_random(bytes);
  return to_hex(bytes);
}

std::string body_of(const std::vector<ServerCount>& counts) {
  json::array list;
  for (const ServerCount& count : counts) {
    json::object item;
    item["zone"] = count.zone;
    item["address"] = format(count.address);
    item["count"] = count.handed;
    list.push_back(std::move(item));
  }
  json::object out;
  out["counts"] = std::move(list);
  return json::serialize(out);
}

}  // namespace

Result<std::unique_ptr<AccountReporter>> AccountReporter::create(ReporterOptions options,
                                                                 Accounting& accounting) {
  std::unique_ptr<AccountReporter> out(new AccountReporter(std::move(options), accounting));
  if (!out->options_.spool_file.empty()) TRY(out->take_in(out->options_.spool_file));
  return out;
}

AccountReporter::~AccountReporter() {
  stop();
  accounting_.collect();
  while (batches_.size() < kMaxSpooled && collect()) {
  }
  save();
}

// A line for each batch: its key, a space and its body.
Result<void> AccountReporter::load(const std::string& path) {
  const auto text = sys::read_file(path, kMaxSpoolFile);
  if (!text.ok()) {
    if (text.error().code == ErrorCode::kNotFound) return {};
    return fail(text.error());
  }
  std::vector<Batch> found;
  std::string_view rest = *text;
  while (!rest.empty() && batches_.size() + found.size() < kMaxSpooled) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    const std::size_t space = line.find(' ');
    // The file is replaced as a whole: a line that is not whole was written by somebody else.
    if (end == std::string_view::npos || space == std::string_view::npos) {
      return fail(Error{ErrorCode::kInvalid, path,
                        "line " + std::to_string(found.size() + 1) + " is not of a spool"});
    }
    found.push_back({std::string(line.substr(0, space)), std::string(line.substr(space + 1))});
    rest.remove_prefix(end + 1);
  }
  if (!rest.empty()) options_.tell(true, path + ": there is no room for all of its counts");
  for (Batch& batch : found) {
    const auto same = [&batch](const Batch& known) { return known.key == batch.key; };
    if (std::none_of(batches_.begin(), batches_.end(), same)) batches_.push_back(std::move(batch));
  }
  return {};
}

// Counts that nobody can read keep no zone from being served.
Result<void> AccountReporter::take_in(const std::string& path) {
  const auto done = load(path);
  if (done.ok()) return {};
  const ErrorCode code = done.error().code;
  if (code != ErrorCode::kInvalid && code != ErrorCode::kExhausted) return done;
  const std::string aside = path + kBadSuffix;
  if (::rename(path.c_str(), aside.c_str()) != 0) return fail(system_error(errno, "move " + path));
  options_.tell(true, done.error().text() + "; it is set aside as " + aside);
  return {};
}

void AccountReporter::take_left() {
  if (options_.spool_file.empty()) return;
  const std::string path = options_.spool_file + kLeftSuffix;
  // By another name, so that a process that leaves more meanwhile does not write what is removed
  // below. One that was read already and is left again has the same keys, and counts once.
  const std::string taken = path + "-taken";
  if (::access(taken.c_str(), F_OK) != 0 && ::rename(path.c_str(), taken.c_str()) != 0) return;
  if (const auto done = take_in(taken); !done.ok()) {
    options_.tell(true, done.error().text());
    return;
  }
  if (save()) ::unlink(taken.c_str());
}

bool AccountReporter::save() {
  if (options_.spool_file.empty()) return true;
  if (batches_.empty()) {
    ::unlink(options_.spool_file.c_str());
    return true;
  }
  std::string text;
  for (const Batch& batch : batches_) text += batch.key + " " + batch.body + "\n";
  const auto done = sys::write_file_atomic(options_.spool_file, text, 0600);
  if (!done.ok()) options_.tell(true, done.error().text());
  return done.ok();
}

void AccountReporter::start() {
  thread_.start(Duration(), [this] {
    send_all();
    const std::lock_guard lock(mutex_);
    status_.waiting = batches_.size();
    return options_.interval;
  });
}

void AccountReporter::stop() {
  client_.cancel();
  thread_.stop();
}

ReporterStatus AccountReporter::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

bool AccountReporter::collect() {
  const std::vector<ServerCount> counts = accounting_.take(kBatch);
  if (counts.empty()) return false;
  batches_.push_back({random_key(), body_of(counts)});
  return true;
}

bool AccountReporter::send_all() {
  take_left();
  accounting_.collect();
  for (;;) {
    if (batches_.empty()) {
      if (!collect()) return true;
      // Before it is sent: should this program end before the answer, the same is sent again.
      save();
    }
    if (send(batches_.front()) == Fate::kWaits) return false;
    batches_.pop_front();
    save();
  }
}

AccountReporter::Fate AccountReporter::send(const Batch& batch) {
  auto token = sys::read_secret_file(options_.token_file, kMaxToken);
  if (!token.ok()) {
    note(Fate::kWaits, "[accounting] token_file: " + token.error().text());
    return Fate::kWaits;
  }
  while (!token->empty() && (token->back() == '\n' || token->back() == '\r')) token->pop_back();
  std::string problem;
  for (const std::string& url : options_.urls) {
    const auto status = post(url, *token, batch);
    if (client_.cancelled()) return Fate::kWaits;
    if (status.ok() && *status == 200) {
      note(Fate::kTaken, "");
      return Fate::kTaken;
    }
    problem = "POST " + url + "/v1/handed-out: " +
              (status.ok() ? "status " + std::to_string(*status) : status.error().text());
    // What is wrong with a batch will be wrong for ever; who may send it may change.
    if (status.ok() && (*status == 400 || *status == 409 || *status == 413 || *status == 422)) {
      note(Fate::kRefused, problem);
      return Fate::kRefused;
    }
  }
  note(Fate::kWaits, problem);
  return Fate::kWaits;
}

Result<int> AccountReporter::post(const std::string& url, const std::string& token,
                                  const Batch& batch) {
  net::HttpFetch request;
  request.url = url + "/v1/handed-out";
  request.method = "POST";
  request.headers.add("Authorization", "Bearer " + token);
  request.headers.add("Content-Type", "application/json");
  request.headers.add("Idempotency-Key", batch.key);
  request.body = batch.body;
  request.ca_file = options_.ca_file;
  return TRY(client_.fetch(request)).status;
}

void AccountReporter::note(Fate fate, const std::string& problem) {
  bool fresh = false;
  {
    const std::lock_guard lock(mutex_);
    fresh = problem != status_.last_error;
    status_.last_error = problem;
    if (fate == Fate::kTaken) {
      ++status_.sent;
      status_.last_sent = sys::unix_now();
    }
    if (fate == Fate::kRefused) ++status_.refused;
  }
  if (!fresh) return;
  options_.tell(!problem.empty(), problem.empty() ? "a manager takes the counts" : problem);
}

}  // namespace timepool::dnsd
