// Exceptions across frames and threads, thread-local objects, futures, condition variables.
#include <atomic>
#include <condition_variable>
#include <future>
#include <iostream>
#include <mutex>
#include <numeric>
#include <queue>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static thread_local std::string name = "none";

static int deep(int n)
{
	std::string local(100, 'x');
	if (n == 0)
		throw std::runtime_error("bottom");
	return deep(n - 1) + static_cast<int>(local.size());
}

int main()
{
	try {
		deep(200);
	} catch (const std::exception &e) {
		std::cout << "caught " << e.what() << "\n";
	}

	std::vector<std::future<long>> parts;
	for (int i = 0; i < 8; i++)
		parts.push_back(std::async(std::launch::async, [i]() -> long {
			name = "thread " + std::to_string(i);
			if (i == 5)
				throw std::out_of_range(name);
			std::vector<long> v(100000);
			std::iota(v.begin(), v.end(), i);
			return std::accumulate(v.begin(), v.end(), 0L);
		}));
	for (auto &part : parts) {
		try {
			std::cout << part.get() << "\n";
		} catch (const std::out_of_range &e) {
			std::cout << "out of range: " << e.what() << "\n";
		}
	}

	std::mutex lock;
	std::condition_variable ready;
	std::queue<int> queue;
	long sum = 0;
	std::thread consumer([&] {
		for (int got = 0; got < 20000; got++) {
			std::unique_lock<std::mutex> held(lock);
			ready.wait(held, [&] { return !queue.empty(); });
			sum += queue.front();
			queue.pop();
		}
	});
	std::vector<std::thread> producers;
	for (int t = 0; t < 4; t++)
		producers.emplace_back([&, t] {
			for (int i = 0; i < 5000; i++) {
				std::lock_guard<std::mutex> held(lock);
				queue.push(t + i);
				ready.notify_one();
			}
		});
	for (auto &thread : producers)
		thread.join();
	consumer.join();
	std::cout << "sum " << sum << ", main is " << name << std::endl;
	return 0;
}
