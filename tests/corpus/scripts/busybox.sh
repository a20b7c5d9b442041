# busybox sh: applets in pipelines, loops, traps, archives.
seq 1 20000 | awk '{s += $1} END {print s}'
printf 'b 2\na 1\nc 3\n' > t; sort t | cut -d' ' -f2 | tr '\n' ','; echo
head -c 100000 /dev/zero | md5sum
head -c 300000 /dev/zero | tr '\0' 'x' | gzip -c | gunzip -c | sha256sum
i=0; while [ $i -lt 100 ]; do i=$((i + 1)); true & done; wait; echo "forked $i"
mkdir -p d/e; for f in 1 2 3; do echo "file $f" > d/e/$f; done
tar -cf d.tar d; rm -r d; tar -xf d.tar; find d -type f | sort | xargs cat
trap 'echo trapped' TERM; kill $$; echo after
(trap 'exit 3' TERM; while :; do sleep 0.1; done) & p=$!; sleep 0.3; kill $p; wait $p; echo $?
echo 'a=1;b=2' | sed 's/;/\n/g' | while IFS== read k v; do echo "$k is $v"; done
expr 6 \* 7; echo 'scale=5; 1/7' | bc; echo '3 4 + p' | dc
dd if=/dev/zero of=z bs=4k count=16 2>/dev/null; wc -c < z; truncate -s 5 z; stat -c %s z
ln -s z link; readlink link; test -L link && echo link; cp -a link link2; ls -l link2 | cut -c1-10
chmod 640 z; stat -c %a z; touch -d '2020-01-02 03:04:05' z; stat -c %Y z
sh -c 'exit 42'; echo "exit $?"; sh -c 'kill -9 $$'; echo "kill $?"
timeout 1 sleep 10; echo "timeout $?"
yes x | head -n 100000 | uniq -c | tr -s ' '
diff t z > /dev/null; echo "diff $?"; cmp t t && echo same
base64 t | base64 -d | wc -c; echo abc | od -c | head -n 1; uname -s; id -u
echo "$(cat /proc/self/comm) $(ls /proc/self/fd | wc -l)"
exec sh -c 'echo last; exit 11'
