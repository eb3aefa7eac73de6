#include "net/certificate_store.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "base/civil.h"
#include "sys/file.h"
#include "sys/secret_file.h"

namespace timepool::net {
namespace {

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

void wipe(std::string& text) {
  crypto::wipe(std::as_writable_bytes(std::span(text.data(), text.size())));
}

crypto::Sha256 fingerprint(std::string_view chain, std::string_view key) {
  std::array<std::byte, 64> both{};
  const crypto::Sha256 a = crypto::sha256(bytes_of(chain));
  const crypto::Sha256 b = crypto::sha256(bytes_of(key));
  std::copy(a.begin(), a.end(), both.begin());
  std::copy(b.begin(), b.end(), both.begin() + 32);
  return crypto::sha256(both);
}

std::string date(UnixTime time) {
  return format_utc(time, 0);
}

bool in_force(const TlsCertificate& it, UnixTime now) {
  return it.info().not_before <= now && now <= it.chain_not_after();
}

std::string names_of(const CertificateInfo& info) {
  std::string out;
  for (const std::string& name : info.dns_names) out += (out.empty() ? "" : ", ") + name;
  for (const IpAddress& address : info.addresses) {
    out += (out.empty() ? "" : ", ") + format(address);
  }
  return out;
}

}  // namespace

// Whether what the files hold may be shown to clients from now on.
Result<TlsCertificate> CertificateStore::judge(const Entry& entry, std::string_view chain,
                                               std::string_view key, UnixTime now) const {
  const std::string& place = entry.files.chain;
  TlsCertificate out = TRY(TlsCertificate::parse(chain, key, place));
  const CertificateInfo& info = out.info();
  const auto refuse = [&](std::string why) {
    return fail(Error{ErrorCode::kInvalid, place, std::move(why)});
  };
  if (info.dns_names.empty() && info.addresses.empty()) {
    return refuse("the certificate has no names that a client could look for");
  }
  // OpenSSL says what it does not like about the key.
  TRY(TlsServerContext::create({out}));
  if (in_force(out, now) || !entry.good || !in_force(*entry.good, now)) return out;
  return refuse(info.not_before > now ? "it is not valid before " + date(info.not_before)
                                      : "it expired on " + date(out.chain_not_after()));
}

bool CertificateStore::read(Entry& entry, UnixTime now) const {
  const Result<std::string> chain = sys::read_file(entry.files.chain, kMaxChainFile);
  Result<std::string> key =
      sys::read_secret_file(entry.files.key, kMaxKeyFile, sys::SecretGroup::kMayRead);
  if (!chain.ok() || !key.ok()) {
    entry.fault = chain.ok() ? key.error().text() : chain.error().text();
    return false;
  }
  const crypto::Sha256 seen = fingerprint(*chain, *key);
  if (seen == entry.taken) {
    wipe(*key);
    entry.fault.clear();
    return false;
  }
  auto judged = judge(entry, *chain, *key, now);
  wipe(*key);
  if (!judged.ok()) {
    entry.fault = judged.error().text();
    return false;
  }
  entry.fault.clear();
  entry.taken = seen;
  entry.good = std::move(judged).value();
  entry.warned_on = 0;
  logger_.info("{}: certificate for {}, {}, valid until {}", entry.files.chain,
               names_of(entry.good->info()), entry.good->info().key_type,
               date(entry.good->chain_not_after()));
  return true;
}

Result<std::shared_ptr<const TlsServerContext>> CertificateStore::make_context(
    const std::vector<Entry>& entries) const {
  std::vector<TlsCertificate> shown;
  for (const Entry& entry : entries) shown.push_back(*entry.good);
  return TlsServerContext::create(std::move(shown), options_);
}

Result<void> CertificateStore::load(const std::vector<sys::CertificateFiles>& files, UnixTime now) {
  std::vector<Entry> next;
  bool changed = files.size() != entries_.size();
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto before = std::find_if(entries_.begin(), entries_.end(),
                                     [&](const Entry& it) { return it.files == files[i]; });
    Entry entry = before == entries_.end() ? Entry{files[i], {}, {}, {}, 0} : *before;
    changed |=
        before == entries_.end() || before - entries_.begin() != static_cast<std::ptrdiff_t>(i);
    changed |= read(entry, now);
    if (!entry.good) return fail(Error{ErrorCode::kInvalid, setting_, entry.fault});
    if (!entry.fault.empty()) {
      logger_.error("{}: {}; the one before stays", setting_, entry.fault);
    }
    next.push_back(std::move(entry));
  }
  if (changed) {
    context_ = TRY(make_context(next));
    made_ = now;
    ++changes_;
  }
  entries_ = std::move(next);
  for (Entry& entry : entries_) warn_about_end(entry, now);
  return {};
}

bool CertificateStore::look(UnixTime now) {
  bool changed = false;
  for (Entry& entry : entries_) {
    const std::string before = entry.fault;
    changed |= read(entry, now);
    if (!entry.fault.empty() && entry.fault != before) {
      logger_.error("{}: {}; the one before stays", setting_, entry.fault);
    }
    warn_about_end(entry, now);
  }
  if (!changed && !has_old_tickets(now)) return false;
  auto context = make_context(entries_);
  if (!context.ok()) {
    logger_.error("{}: {}", setting_, context.error().text());
    return false;
  }
  context_ = std::move(context).value();
  made_ = now;
  if (changed) ++changes_;
  return true;
}

// Whoever gets hold of their keys can read the connections that were continued with them.
bool CertificateStore::has_old_tickets(UnixTime now) const {
  return options_.tickets > 0 && (now < made_ || now - made_ >= options_.ticket_life);
}

// Once a day.
void CertificateStore::warn_about_end(Entry& entry, UnixTime now) const {
  const TlsCertificate& it = *entry.good;
  const Duration life = it.chain_not_after() - it.info().not_before;
  const Duration last = std::max(life / kLastPart, Duration::seconds(kSecondsPerDay));
  const std::int64_t today = day_of(now);
  if (entry.warned_on == today) return;
  if (now < it.info().not_before) {
    logger_.warning("{}: the certificate is not valid before {}", entry.files.chain,
                    date(it.info().not_before));
  } else if (now > it.chain_not_after()) {
    logger_.error("{}: the certificate expired on {}: clients refuse it", entry.files.chain,
                  date(it.chain_not_after()));
  } else if (it.chain_not_after() - now < last) {
    logger_.warning("{}: the certificate expires on {}", entry.files.chain,
                    date(it.chain_not_after()));
  } else {
    return;
  }
  entry.warned_on = today;
}

std::vector<CertificateStore::Report> CertificateStore::reports() const {
  std::vector<Report> out;
  for (const Entry& it : entries_) {
    out.push_back({it.files.chain, it.good->info(), it.good->chain_not_after(), it.fault});
  }
  return out;
}

}  // namespace timepool::net
