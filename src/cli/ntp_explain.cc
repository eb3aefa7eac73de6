// timepool ntp explain.
#include <boost/json/array.hpp>

#include "cli/ntp_show.h"
#include "cli/print.h"
#include "client/json_fields.h"

namespace timepool::cli {
namespace json = boost::json;

void show_explain(const json::object& answer, bool) {
  bool first = true;
  for (const json::value& value : client::list_of(answer, "sources")) {
    if (!value.is_object()) continue;
    if (!first) print("");
    first = false;
    const json::object& source = value.get_object();
    print(client::text_of(source, "title"));
    for (const json::value& sentence : client::list_of(source, "sentences")) {
      if (sentence.is_string()) print("  " + std::string(sentence.get_string()));
    }
  }
}

}  // namespace timepool::cli
