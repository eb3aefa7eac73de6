// timepool ntp acme account: the accounts that timepool-ntpd has at authorities of ACME.
#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "cli/ntp_acme.h"
#include "cli/ntp_show.h"
#include "cli/print.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;
using client::flag_of;
using client::list_of;
using client::object_of;
using client::text_of;

struct AccountOptions {
  AcmeOptions acme;
  std::optional<std::string> directory;
};

void show_account(const json::object& account) {
  print_line("Authority", text_of(account, "directory"));
  const std::string url = text_of(account, "account");
  print_line("  account", url.empty() ? "there is none yet" : url);
  if (const std::string id = text_of(account, "external_key_id"); !id.empty()) {
    print_line("  bound to", id);
  }
  const std::string thumbprint = text_of(account, "thumbprint");
  if (thumbprint.empty()) return;
  print_line("  key", text_of(account, "key_file"));
  print_line("  thumbprint", thumbprint);
}

void show_accounts(const json::object& answer) {
  for (const json::value& it : list_of(answer, "accounts")) {
    if (it.is_object()) show_account(it.get_object());
  }
  for (const json::value& it : list_of(answer, "contacts")) {
    if (it.is_string()) print_line("Contact", std::string(it.get_string()));
  }
  const json::object& changes = object_of(answer, "changes");
  if (flag_of(changes, "running")) {
    print_line("Under way",
               fmt::format("{} at {}", text_of(changes, "change"), text_of(changes, "directory")));
  }
}

void show(const AccountOptions& options, const json::object& answer) {
  if (options.acme.access.json) {
    print_json(answer);
  } else {
    show_accounts(answer);
  }
}

int run_change(const AccountOptions& options, std::string_view command) {
  json::object request{{"command", command}};
  if (options.directory) request["directory"] = *options.directory;
  const auto answer = do_acme(options.acme, "acme-account", std::move(request), "changes");
  if (!answer.ok()) return failed(answer.error());
  show(options, *answer);
  if (options.acme.no_wait) return kOk;
  const std::string fault = text_of(object_of(*answer, "changes"), "fault");
  return fault.empty() ? kOk : failed(fault);
}

std::shared_ptr<AccountOptions> add(Command& command) {
  const auto options = std::make_shared<AccountOptions>();
  add_access(command, options->acme);
  return options;
}

std::shared_ptr<AccountOptions> add_change(Command& command) {
  const auto options = add(command);
  command.positional("directory", options->directory,
                     "The authority's directory URL, as [nts.acme] has it");
  add_waiting(command, options->acme);
  return options;
}

}  // namespace

void add_ntp_acme_account(Command& acme) {
  Command account = acme.command("account", "The accounts at authorities of ACME");
  Command show_it = account.command("show", "Their URLs, and the thumbprints of their keys");
  const auto for_show = add(show_it);
  show_it.action([for_show] {
    return report_control(for_show->acme.access, {{"command", "acme-account"}}, show_accounts);
  });

  Command new_key = account.command("new-key", "Give an account another key");
  new_key.footer(
      "The account, its URL and what the authority knows of it stay. Where there is one authority\n"
      "it need not be named. An order that is under way is waited for. Exit status 1 when it\n"
      "failed: the key of before holds then.");
  const auto for_key = add_change(new_key);
  new_key.action([for_key] { return run_change(*for_key, "acme-account-key"); });

  Command deactivate = account.command("deactivate", "End an account for good");
  deactivate.footer(
      "The authority's certificates stay valid, but nothing can be asked for by that account any\n"
      "more. The next order makes another one, with another key: take the authority out of\n"
      "[nts.acme] if none is wanted, and change CAA records that name the account (RFC 8657).");
  const auto for_end = add_change(deactivate);
  deactivate.require("directory");
  deactivate.action([for_end] { return run_change(*for_end, "acme-account-deactivate"); });
}

}  // namespace timepool::cli
