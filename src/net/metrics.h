// Metrics in the text format of Prometheus. A part of a program keeps its counters where it counts
// (relaxed atomics of each worker) and hands out a MetricSource that reads them; nothing is
// registered globally.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace timepool::net {

// {{"reason", "rate"}}
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// Takes in samples and writes them out, those of one name together in the order of first mention.
class MetricSink {
 public:
  MetricSink();
  ~MetricSink();
  MetricSink(const MetricSink&) = delete;
  MetricSink& operator=(const MetricSink&) = delete;

  // Names are the program's own, "timepool_ntp_datagrams_total": CHECKs that they are well formed
  // and that one name always has one type.
  void counter(std::string_view name, std::string_view help, std::uint64_t value,
               const MetricLabels& labels = {});
  void gauge(std::string_view name, std::string_view help, double value,
             const MetricLabels& labels = {});
  // counts[i] values were at most bounds[i] and above the bound before; counts has one element
  // more, for those above all bounds.
  void histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                 std::span<const std::uint64_t> counts, double sum,
                 const MetricLabels& labels = {});

  std::string text() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

// Called for every scrape, from another thread than the one that counts.
using MetricSource = std::function<void(MetricSink&)>;

std::string metrics_text(const std::vector<MetricSource>& sources);

}  // namespace timepool::net
