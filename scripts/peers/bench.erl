%% The workloads in Erlang: processes and messages, no simulated time.
%%
%%     erlc bench.erl
%%     erl +S 1:1 +P 2000000 -noshell -s bench main WORKLOAD [N]
%%
%% One scheduler, so that one core is compared with one core.
-module(bench).
-export([main/1]).

main([Workload | Sizes]) ->
  Numbers = [list_to_integer(atom_to_list(Size)) || Size <- Sizes],
  {Count, Wall, Notes} = run(Workload, Numbers),
  io:format("RES w=~s n=~w rate=~w~s~n",
            [Workload, Count, round(Count / Wall), Notes]),
  halt(0).

%% Ask and reply as gen_server does it: a fresh reference for each request.
run('W4p', []) ->
  Turns = 1000000,
  Server = spawn(fun server/0),
  {2 * Turns, seconds(fun() -> ask(Server, Turns) end), ""};
run('W4r', []) ->
  Hops = 1000000,
  First = ring(1000, self()),
  {Hops, seconds(fun() -> First ! Hops, receive done -> ok end end), ""};
run('W5', []) -> run('W5', [1000000]);
run('W5', [N]) ->
  Before = resident(),
  Start = erlang:monotonic_time(),
  Alive = sleepers(N, self(), []),
  Each = (resident() - Before) / N,
  [Process ! stop || Process <- Alive],
  wait(N),
  {N, since(Start), io_lib:format(" bytes=~w", [round(Each)])};
run('W5c', []) ->
  N = 1000000,
  {N, seconds(fun() -> churn(N div 1000) end), ""};
%% The message that is wanted lies behind 10 000 others: found by a scan ...
run('W7', []) ->
  noise(10000),
  Turns = 10000,
  {Turns, seconds(fun() -> select(Turns) end), ""};
%% ... and by a reference, which lets the receive skip what came before it.
run('W7r', []) -> run('W7r', [10000]);
run('W7r', [Turns]) ->
  noise(10000),
  Server = spawn(fun server/0),
  {Turns, seconds(fun() -> ask(Server, Turns) end), ""};
run('W8', []) ->
  N = 300000,
  process_flag(trap_exit, true),
  {N, seconds(fun() -> lives(N) end), ""};
run('W9', []) ->
  Monitors = 100000, Times = 10,
  {Monitors * Times, seconds(fun() -> storm(Monitors, Times) end), ""}.

lives(0) -> ok;
lives(N) ->
  Process = spawn_link(fun() -> ok end),
  receive {'EXIT', Process, _} -> ok end,
  lives(N - 1).

storm(_, 0) -> ok;
storm(Monitors, Times) ->
  Process = spawn(fun() -> receive stop -> ok end end),
  [monitor(process, Process) || _ <- lists:seq(1, Monitors)],
  Process ! stop,
  downs(Monitors),
  storm(Monitors, Times - 1).

downs(0) -> ok;
downs(N) -> receive {'DOWN', _, _, _, _} -> downs(N - 1) end.

server() ->
  receive {ask, From, Ref, X} -> From ! {Ref, X}, server() end.

ask(_, 0) -> ok;
ask(Server, N) ->
  Ref = make_ref(),
  Server ! {ask, self(), Ref, N},
  receive {Ref, N} -> ok end,
  ask(Server, N - 1).

%% The first node learns last who comes after it, which closes the ring.
ring(Size, Owner) ->
  First = spawn(fun() -> receive {next, Next} -> node(Next, Owner) end end),
  Link = fun(_, Next) -> spawn(fun() -> node(Next, Owner) end) end,
  Last = lists:foldl(Link, First, lists:seq(2, Size)),
  First ! {next, Last},
  First.

node(Next, Owner) ->
  receive
    0 -> Owner ! done;
    Hops -> Next ! (Hops - 1)
  end,
  node(Next, Owner).

sleepers(0, _, Alive) -> Alive;
sleepers(N, Owner, Alive) ->
  Process = spawn(fun() -> receive stop -> Owner ! ok end end),
  sleepers(N - 1, Owner, [Process | Alive]).

churn(0) -> ok;
churn(Batches) ->
  Owner = self(),
  [spawn(fun() -> Owner ! ok end) || _ <- lists:seq(1, 1000)],
  wait(1000),
  churn(Batches - 1).

noise(N) -> [self() ! {noise, I} || I <- lists:seq(1, N)].

select(0) -> ok;
select(N) ->
  self() ! {match, N},
  receive {match, N} -> ok end,
  select(N - 1).

wait(0) -> ok;
wait(N) -> receive ok -> wait(N - 1) end.

seconds(Work) ->
  Start = erlang:monotonic_time(),
  Work(),
  since(Start).

since(Start) ->
  Ticks = erlang:monotonic_time() - Start,
  erlang:convert_time_unit(Ticks, native, nanosecond) / 1.0e9.

%% Bytes of memory that the program holds now.
resident() ->
  {ok, Statm} = file:read_file("/proc/self/statm"),
  [_, Pages | _] = string:tokens(binary_to_list(Statm), " "),
  list_to_integer(Pages) * 4096.
