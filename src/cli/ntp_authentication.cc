// timepool ntp authentication.
#include <fmt/core.h>

#include <boost/json/array.hpp>

#include "cli/ntp_show.h"
#include "cli/print.h"
#include "client/json_fields.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;
using client::flag_of;
using client::list_of;
using client::number_of;
using client::object_of;
using client::text_of;

constexpr const char* kLegend =
    "Mode    nts = Network Time Security (RFC 8915)  key = symmetric key  - not authenticated\n"
    "KeyID   the number of the symmetric key; with NTS how often keys were established anew\n"
    "Type    the algorithm of the NTS keys\n"
    "KLen    their length in bits\n"
    "Last    since they were established: seconds, or minutes m, hours h, days d\n"
    "Try     since the last attempt to establish keys began, in this run\n"
    "Atmp    key establishments since the last that led to authenticated time\n"
    "NAK     requests that were answered by NTSN: the server has other cookie keys\n"
    "Cook    cookies held, each for one request\n"
    "CLen    their length in octets\n"
    "Proved  whether what must prove its packets has done so\n";

}  // namespace

std::string authentication_of(const json::object& source) {
  const std::string mode = text_of(source, "authentication");
  return mode.empty() || mode == "none" ? "-" : mode;
}

void show_authentication(const json::object& answer, bool verbose) {
  const json::array& list = list_of(answer, "sources");
  if (list.empty()) {
    print("no sources: see [[server]] and [[pool]] of ntpd.toml");
    return;
  }
  Table table({"Name/IP address", "Mode", "KeyID", "Type", "KLen", "Last", "Try", "Atmp", "NAK",
               "Cook", "CLen", "Proved"});
  for (const json::value& value : list) {
    if (!value.is_object()) continue;
    const json::object& source = value.get_object();
    const json::object& nts = object_of(source, "nts");
    const std::string mode = authentication_of(source);
    const std::string type = text_of(nts, "aead");
    const char* proved = flag_of(source, "proved") ? "yes" : "no";
    table.row({label_of(source), mode, nts.empty() ? whole(source, "key") : whole(nts, "key_id"),
               type.empty() ? "-" : type, whole(nts, "key_bits"), age(number_of(nts, "key_age_s")),
               age(number_of(nts, "since_attempt_s")), whole(source, "attempts"),
               whole(nts, "naks"), whole(nts, "cookies"), whole(nts, "cookie_octets"),
               mode == "-" ? "-" : proved});
  }
  if (verbose) print(kLegend);
  print(table.text());
  const json::object& outcomes = object_of(answer, "key_establishments");
  if (!verbose || outcomes.empty()) return;
  print("key establishments");
  print_counts(outcomes, "  ");
}

}  // namespace timepool::cli
