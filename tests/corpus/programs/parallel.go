// Goroutines over all processors, channels, timers, garbage, preemption, child processes, pipes.
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func hashes() {
	var wg sync.WaitGroup
	sums := make([]string, 16)
	for i := range sums {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			block := make([]byte, 1<<16)
			h := sha256.New()
			for n := 0; n < 8; n++ {
				block[n] = byte(i)
				h.Write(block)
			}
			sums[i] = fmt.Sprintf("%x", h.Sum(nil))
		}(i)
	}
	wg.Wait()
	for i, s := range sums {
		fmt.Println(i, s)
	}
}

func ring() {
	const size = 100
	first := make(chan int)
	in := first
	for i := 0; i < size; i++ {
		out := make(chan int)
		go func(in, out chan int) {
			for v := range in {
				out <- v + 1
			}
			close(out)
		}(in, out)
		in = out
	}
	go func() {
		for i := 0; i < 50; i++ {
			first <- i
		}
		close(first)
	}()
	total := 0
	for v := range in {
		total += v
	}
	fmt.Println("ring", total)
}

func preemption() {
	var spins int64
	var stop int32
	done := make(chan bool)
	go func() {
		for atomic.LoadInt32(&stop) == 0 {
			spins++
		}
		done <- true
	}()
	time.Sleep(20 * time.Millisecond)
	runtime.GC() // stops the world: the loop above has to be preempted
	atomic.StoreInt32(&stop, 1)
	<-done
	fmt.Println("preempted", spins > 0)
}

type node struct {
	left, right *node
	load        [64]byte
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{left: tree(depth - 1), right: tree(depth - 1)}
}

func (n *node) count() int {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

func children() {
	self, _ := os.Executable()
	out, err := exec.Command(self, "child", "argument").CombinedOutput()
	fmt.Printf("%q %v\n", out, err)
	_, err = exec.Command("/nonexistent").Output()
	fmt.Println(err)
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGUSR1)
	syscall.Kill(syscall.Getpid(), syscall.SIGUSR1)
	fmt.Println(<-caught)
}

func main() {
	if len(os.Args) > 1 {
		fmt.Println("child of", os.Args[2])
		os.Exit(4)
	}
	hashes()
	ring()
	preemption()
	for i := 0; i < 5; i++ {
		fmt.Println("nodes", tree(14).count())
	}
	children()
	select {
	case <-time.After(5 * time.Millisecond):
		fmt.Println("timer")
	}
}
