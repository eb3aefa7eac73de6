#include "net/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace timepool::net {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// [a-zA-Z_][a-zA-Z0-9_]*; the colon is for rules.
bool is_name(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

ClientMetric with_labels(const MetricLabels& labels) {
  ClientMetric metric;
  for (const auto& [name, value] : labels) {
    CHECK(is_name(name));
    metric.label.push_back({name, value});
  }
  return metric;
}

}  // namespace

struct MetricSink::Families {
  std::vector<MetricFamily> all;

  MetricFamily& family(std::string_view name, std::string_view help, MetricType type) {
    for (MetricFamily& known : all) {
      if (known.name != name) continue;
      CHECK(known.type == type);
      return known;
    }
    CHECK(is_name(name));
    MetricFamily& made = all.emplace_back();
    made.name = name;
    made.help = help;
    made.type = type;
    return made;
  }
};

MetricSink::MetricSink() : families_(std::make_unique<Families>()) {}
MetricSink::~MetricSink() = default;

void MetricSink::counter(std::string_view name, std::string_view help, std::uint64_t value,
                         const MetricLabels& labels) {
  ClientMetric metric = with_labels(labels);
  metric.counter.value = static_cast<double>(value);
  families_->family(name, help, MetricType::Counter).metric.push_back(std::move(metric));
}

void MetricSink::gauge(std::string_view name, std::string_view help, double value,
                       const MetricLabels& labels) {
  ClientMetric metric = with_labels(labels);
  metric.gauge.value = value;
  families_->family(name, help, MetricType::Gauge).metric.push_back(std::move(metric));
}

void MetricSink::histogram(std::string_view name, std::string_view help,
                           std::span<const double> bounds, std::span<const std::uint64_t> counts,
                           double sum, const MetricLabels& labels) {
  CHECK(counts.size() == bounds.size() + 1);
  ClientMetric metric = with_labels(labels);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    total += counts[i];
    const double bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({total, bound});
  }
  metric.histogram.sample_count = total;
  metric.histogram.sample_sum = sum;
  families_->family(name, help, MetricType::Histogram).metric.push_back(std::move(metric));
}

std::string MetricSink::text() const {
  return prometheus::TextSerializer().Serialize(families_->all);
}

std::string metrics_text(const std::vector<MetricSource>& sources) {
  MetricSink sink;
  for (const MetricSource& source : sources) source(sink);
  return sink.text();
}

}  // namespace timepool::net
