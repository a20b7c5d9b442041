package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Println("hello", len(os.Args), os.Getenv("CORPUS"))
	os.Exit(3)
}
