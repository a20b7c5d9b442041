pragma journal_mode=delete;
create table t(a integer primary key, b text);
with recursive n(x) as (select 1 union all select x + 1 from n where x < 5000)
  insert into t select x, 'row ' || x from n;
create index i on t(b);
begin; delete from t where a % 2; rollback;
select count(*), sum(a), max(b) from t;
pragma journal_mode=wal;
begin; update t set b = b || '!' where a < 100; commit;
select * from t where b like '%!' order by b limit 3;
pragma integrity_check;
vacuum;
select hex(sha3(group_concat(b))) from (select b from t order by a limit 10);
