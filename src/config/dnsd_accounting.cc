#include "config/dnsd_accounting.h"

namespace timepool::config {

Schema<DnsdAccountingConfig> dnsd_accounting_schema() {
  using Accounting = DnsdAccountingConfig;
  Schema<Accounting> out;
  out.field("token_file", &Accounting::token_file, text(4000),
            "A file with the manager's token for name servers ([dns] token_file of "
            "timepool-poold), readable by its owner alone. How often each server was handed out is "
            "then told to the managers of [snapshot] urls, the first one that takes it. Empty: it "
            "is not told.")
      .field("interval", &Accounting::interval,
             duration(Duration::seconds(1), Duration::seconds(3600)),
             "How long counts are collected before they are told.")
      .field("spool_file", &Accounting::spool_file, text(4000),
             "Where counts are kept over a restart that no manager has taken yet. Each is counted "
             "once, also when an answer of the manager was lost. Empty: they are lost at the end.");
  return out;
}

}  // namespace timepool::config
