#include <array>

#include "pool/zone.h"

namespace timepool::pool {
namespace {

void quoted(std::string& out, std::string_view text) {
  out += '"';
  out += json_escaped(text);
  out += '"';
}

void field(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  quoted(out, name);
  out += ':';
}

void number_field(std::string& out, std::string_view name, std::uint64_t value) {
  field(out, name);
  out += std::to_string(value);
}

void text_field(std::string& out, std::string_view name, std::string_view value) {
  field(out, name);
  quoted(out, value);
}

void addresses(std::string& out, std::string_view name,
               const std::vector<WeightedAddress>& servers) {
  if (servers.empty()) return;
  field(out, name);
  out += '[';
  for (const WeightedAddress& server : servers) {
    if (out.back() != '[') out += ',';
    out += '[';
    quoted(out, format(server.address));
    out += ',' + std::to_string(server.weight) + ']';
  }
  out += ']';
}

// geodns' form of SRV; our own of CAA, which geodns leaves out as a type that it does not know.
void services(std::string& out, const Label& label) {
  if (!label.srv.empty()) {
    field(out, "srv");
    out += '[';
    for (const ServiceRecord& record : label.srv) {
      if (out.back() != '[') out += ',';
      out += '{';
      text_field(out, "target", record.target);
      number_field(out, "port", record.port);
      number_field(out, "srv_weight", record.srv_weight);
      if (record.weight > 0) number_field(out, "weight", record.weight);
      out += '}';
    }
    out += ']';
  }
  if (!label.caa.empty()) {
    field(out, "caa");
    out += '[';
    for (const std::string& record : label.caa) {
      if (out.back() != '[') out += ',';
      quoted(out, record);
    }
    out += ']';
  }
}

}  // namespace

std::string json_escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

std::string to_geodns_json(const Zone& zone, std::uint32_t serial) {
  std::string out = "{";
  number_field(out, "serial", serial);
  number_field(out, "ttl", zone.ttl);
  number_field(out, "negative_ttl", zone.negative_ttl);
  number_field(out, "max_hosts", zone.max_hosts);
  text_field(out, "contact", zone.contact);
  text_field(out, "targeting", "@ continent country");
  field(out, "data");
  out += '{';
  for (const auto& [name, label] : zone.labels) {
    field(out, name);
    out += '{';
    if (!label.alias.empty()) text_field(out, "alias", label.alias);
    if (label.ttl > 0) number_field(out, "ttl", label.ttl);
    if (label.max_hosts > 0) number_field(out, "max_hosts", label.max_hosts);
    addresses(out, "a", label.a);
    addresses(out, "aaaa", label.aaaa);
    services(out, label);
    if (name.empty() && !zone.name_servers.empty()) {
      field(out, "ns");
      out += '[';
      for (const std::string& server : zone.name_servers) {
        if (out.back() != '[') out += ',';
        quoted(out, server);
      }
      out += ']';
    }
    out += '}';
  }
  out += "}}";
  return out;
}

}  // namespace timepool::pool
