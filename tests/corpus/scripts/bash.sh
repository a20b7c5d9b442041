# Job control paths, pipelines, subshells, here-documents, traps, arrays, process substitution.
set -u
echo one two | while read -r a b; do echo "$b $a"; done
x=1; (x=2; echo "inner $x"); echo "outer $x"
cat <<EOF | sort -r
a $((1 + 2))
b $(echo nested $(echo deep))
EOF
cat <<'EOF'
literal $x
EOF
cat <<< "here string"
trap 'echo exit trap' EXIT
trap 'echo got USR1' USR1
kill -USR1 $$
trap 'echo child ended' CHLD
(exit 5) & wait $!; echo "status $?"
trap - CHLD
false | true; echo "${PIPESTATUS[@]}"
set -o pipefail; false | true; echo "pipefail $?"; set +o pipefail
diff <(printf 'a\nb\n') <(printf 'a\nc\n'); echo "diff $?"
declare -A map=([k]=v [l]=w); for k in k l; do echo "$k=${map[$k]}"; done
seq 1 1000 | tail -n 1
yes | head -n 3
# A child killed before its exec runs the EXIT trap, here as natively: wait until it is sleep.
sleep 100 & p=$!; until read -r name < /proc/$p/comm && [ "$name" = sleep ]; do :; done
kill $p; wait $p; echo "killed $?"
bash -c 'kill -SEGV $$' 2>/dev/null; echo "segv $?"
bash -c 'trap "" TERM; kill -TERM $$; echo ignored'
bash -c 'trap "echo int; exit 9" INT; kill -INT $$; sleep 5'; echo "int $?"
exec 3> fd3.txt; echo to three >&3; exec 3>&-; cat fd3.txt
exec 4< fd3.txt; read -r line <&4; echo "line: $line"
for i in 1 2 3; do (sleep 0.$((i * 3)); echo $i) & done; wait; echo waited
coproc CAT { cat; }; echo through coproc >&"${CAT[1]}"; read -r got <&"${CAT[0]}"; echo "$got"
eval "exec ${CAT[1]}>&-"; wait
[[ -e /dev/null && ! -e /nonexistent ]] && echo tests
printf '%s\n' *.txt
mkfifo pipe; echo by fifo > pipe & cat pipe; wait
read -t 0.01 -r nothing < <(sleep 1); [ $? -gt 128 ] && echo timed out
ulimit -n 64; ulimit -n
f() { local n=$1; [ "$n" -eq 0 ] && return 7; f $((n - 1)); }; f 50; echo "recursion $?"
bash -c 'set -m; sleep 50 & kill -STOP %1; sleep 0.1; jobs; kill -CONT %1; kill %1; wait %1; echo "job $?"'
echo $BASHPID | grep -c '^[0-9]*$'
exit 6
