// hnswlib as C++ uses it: vectors in its own memory, no crossing between languages. Takes commands on standard input, a
// line each, and answers each with a line of JSON.
//
//   start <base file> <query file> <dimensions> <base count> <query count> <m> <efConstruction>   {"memoryBytes":n}
//   add <from> <to>                          {"ms":n}: inserts base vectors, labelled by their number
//   search <ef> <top>                        {"ms":n,"labels":[...],"latenciesMs":[...]}: each query by itself
//   store <index file>                       {"bytes":n}: writes the index and lets go of it
//   reopen <index file> <ef> <top>           {"ms":n}: from nothing to the first answer
//   memory                                   {"memoryBytes":n}: resident
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "hnswlib/hnswlib.h"

namespace {

using Clock = std::chrono::steady_clock;
using Graph = hnswlib::HierarchicalNSW<float>;

double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::vector<float> readFloats(const std::string &path, size_t count) {
  std::vector<float> floats(count);
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char *>(floats.data()), count * sizeof(float)))
    throw std::runtime_error("cannot read " + path);
  return floats;
}

size_t residentBytes() {
  std::ifstream statm("/proc/self/statm");
  size_t all = 0, resident = 0;
  statm >> all >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

class Driver {
 public:
  void start(std::istringstream &words) {
    std::string base, queries;
    size_t m = 0, efConstruction = 0;
    words >> base >> queries >> dimensions_ >> baseCount_ >> queryCount_ >> m >> efConstruction;
    base_ = readFloats(base, baseCount_ * dimensions_);
    queries_ = readFloats(queries, queryCount_ * dimensions_);
    space_ = std::make_unique<hnswlib::InnerProductSpace>(dimensions_);
    residentBefore_ = residentBytes();
    graph_ = std::make_unique<Graph>(space_.get(), baseCount_, m, efConstruction);
    memory();
  }

  void add(std::istringstream &words) {
    size_t from = 0, to = 0;
    words >> from >> to;
    const auto start = Clock::now();
    for (size_t label = from; label < to; label++) graph_->addPoint(&base_[label * dimensions_], label);
    std::printf("{\"ms\":%.3f}\n", millisecondsSince(start));
  }

  void search(std::istringstream &words) {
    size_t ef = 0, top = 0;
    words >> ef >> top;
    graph_->setEf(ef);
    std::vector<double> latencies(queryCount_);
    std::vector<std::vector<std::pair<float, hnswlib::labeltype>>> answers(queryCount_);
    const auto start = Clock::now();
    for (size_t query = 0; query < queryCount_; query++) {
      const auto begun = Clock::now();
      answers[query] = graph_->searchKnnCloserFirst(&queries_[query * dimensions_], top);
      latencies[query] = millisecondsSince(begun);
    }
    std::printf("{\"ms\":%.3f,\"labels\":[", millisecondsSince(start));
    for (size_t query = 0; query < queryCount_; query++)
      for (size_t rank = 0; rank < top; rank++) {
        const auto &answer = answers[query];
        const long label = rank < answer.size() ? static_cast<long>(answer[rank].second) : -1;
        std::printf("%s%ld", query + rank > 0 ? "," : "", label);
      }
    std::printf("],\"latenciesMs\":[");
    for (size_t query = 0; query < queryCount_; query++)
      std::printf("%s%.5f", query > 0 ? "," : "", latencies[query]);
    std::printf("]}\n");
  }

  void store(std::istringstream &words) {
    std::string path;
    words >> path;
    graph_->saveIndex(path);
    graph_.reset();
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    std::printf("{\"bytes\":%lld}\n", static_cast<long long>(file.tellg()));
  }

  void reopen(std::istringstream &words) {
    std::string path;
    size_t ef = 0, top = 0;
    words >> path >> ef >> top;
    const auto start = Clock::now();
    graph_ = std::make_unique<Graph>(space_.get(), path);
    graph_->setEf(ef);
    graph_->searchKnnCloserFirst(queries_.data(), top);
    std::printf("{\"ms\":%.3f}\n", millisecondsSince(start));
  }

  void memory() { std::printf("{\"memoryBytes\":%zu}\n", residentBytes() - residentBefore_); }

 private:
  size_t dimensions_ = 0, baseCount_ = 0, queryCount_ = 0, residentBefore_ = 0;
  std::vector<float> base_, queries_;
  std::unique_ptr<hnswlib::InnerProductSpace> space_;
  std::unique_ptr<Graph> graph_;
};

}  // namespace

int main() {
  Driver driver;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (command == "start") driver.start(words);
    else if (command == "add") driver.add(words);
    else if (command == "search") driver.search(words);
    else if (command == "store") driver.store(words);
    else if (command == "reopen") driver.reopen(words);
    else if (command == "memory") driver.memory();
    else return 1;
    std::fflush(stdout);
  }
  return 0;
}
