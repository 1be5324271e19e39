/* Sleep and wake: a counter of sleepers, asleep words with generations, a topic-wide bell.
 * PUBS publishers (each its own sequence word, which stands for its slots) and SUBS subscribers, who join at any time;
 * publishers keep a list of subscribers by epoch.  A lost wake-up shows as an invalid end state.  Ghost: `sleeps`, the
 * living who have counted themselves in.  Promises: no wake-up is lost; SLEEPERS >= the living sleepers at all times.
 *   -DFIFO       a level-triggered descriptor instead of a futex; it keeps its owner counted while it is in use
 *   -DKILL_SUB   subscriber 0 is killed anywhere; two janitors, the first of which may be killed too
 *   -DRETURN     a successor then takes the segment of subscriber 0 over instead (durable subscriber, same segment)
 *   -DKILL_PUB   publisher 0 is killed anywhere */
#ifndef PUBS
#define PUBS 1
#endif
#ifndef SUBS
#define SUBS 1
#endif
#ifndef MSG
#define MSG 2
#endif
#ifdef RETURN
#define OWNERS (SUBS+1)                           /* processes that are subscribers; the last one succeeds the first */
#else
#define OWNERS SUBS
#endif
#define JAN       (PUBS+OWNERS)
#define NB        (PUBS+OWNERS+2)
#define WORD(p)   (p)
#define BELL      PUBS
#define EPOCH     (PUBS+1)
#define SLEEPERS  (PUBS+2)
#define ASLEEP(s) (PUBS+3+(s))
#define COUNTED(s) (PUBS+3+SUBS+(s))
#define NA        (PUBS+3+2*SUBS)
#if PUBS == 2
#define SECOND_DONE (cur[1] == MSG)
#else
#define SECOND_DONE 1
#endif
#define ALL (cur[0] == MSG && SECOND_DONE)
#define DEAD0_DONE (cur[0] == lastw)              /* what a dead publisher had published must be found, too */
#define ON_COMMIT(ad,va) skip
bool waiting[SUBS], exists[SUBS], sleeps[SUBS], killp, kills, dead0, deadsub, jkill; byte tokens[SUBS], lastw;
#if SUBS == 2
#define LIVING_SLEEPERS (sleeps[0] + sleeps[1])
#else
#define LIVING_SLEEPERS (sleeps[0])
#endif
#include "tso.h"
inline relist(p) {
  LOAD(p,EPOCH,e);
  if :: e != cached -> cached = e; s = 0;
        do :: s < SUBS -> list[s] = exists[s];
#ifdef FORGET_ON_RELIST                           /* the other remedy for GEN_RESTART: forget what was rung before */
              rang[s] = 0;
#endif
              s++ :: else -> break od
     :: else fi; s = 0; e = 0 }
inline wake_all() { d_step { waiting[0] = 0;
#if SUBS == 2
  waiting[1] = 0;
#endif
  any = 0 } }
inline token(s) { if :: tokens[s] < 1 -> tokens[s]++ :: else fi }   /* write(2) of one byte; EAGAIN when full is fine */
proctype Pub(byte p; byte from) { byte n, a, x, s, e, cached; byte rang[SUBS]; bool any, list[SUBS];
  { n = mem[WORD(p)];
#ifdef TAKEOVER_RINGS
    if :: from ->
#ifdef FIFO
       relist(p); s = 0; do :: s < SUBS -> if :: list[s] -> token(s) :: else fi; s++ :: else -> break od; s = 0
#else
       RMW_ADD(p,BELL,1,x); x = 0; wake_all()
#endif
       :: else fi;
#endif
    do
    :: n < MSG ->
       relist(p);                                 /* the look at the epoch that allows the publish (m5) */
       n++;
#ifdef PUB_PLAIN                                  /* planted: a release store instead of the exchange */
       STORE_R(p,WORD(p),n);
#else
       XCHG(p,WORD(p),n);
#endif
       LOAD(p,SLEEPERS,a);
       if
       :: a ->
#ifndef STALE_LIST                                /* planted: rings only those it had listed before it published */
          relist(p);
#endif
          do
          :: s < SUBS ->
             if :: list[s] -> LOAD(p,ASLEEP(s),a) :: else -> a = 0 fi;
#ifdef BY_FLAG                                    /* planted: remembers that it rang, not for which generation */
             if :: a && !rang[s] -> rang[s] = 1;
#else
             if :: a && a != rang[s] -> rang[s] = a;
#endif
#ifdef FIFO
                   token(s)
#else
                   any = 1
#endif
                :: else fi; s++
          :: else -> break
          od; s = 0;
#ifndef FIFO
          if :: any -> RMW_ADD(p,BELL,1,x); x = 0; wake_all() :: else fi
#endif
       :: else
       fi; a = 0
    :: else -> break
    od }
  unless { (p == 0 && !from && killp) -> DRAINED(p);
#ifdef SUCCESSOR
     run Pub(0,1)
#else
     lastw = mem[WORD(0)]; dead0 = 1
#endif
  } }
inline ready() {                                  /* looks at every publisher's slot */
  r = 0; p = 0; do :: p < PUBS -> LOAD(b,WORD(p),v); if :: v > cur[p] -> r = 1 :: else fi; p++ :: else -> break od; p = 0; v = 0 }
inline take_one() {                               /* took: whether there was one */
  took = 0; p = 0; do :: p < PUBS && !took -> LOAD(b,WORD(p),v); if :: v > cur[p] -> cur[p]++; took = 1 :: else -> p++ fi :: else -> break od; p = 0; v = 0 }
#ifdef UNCOUNT_LATE                               /* planted: counted = 0 after the fetch_sub */
#define UNCOUNT_FIRST
#define UNCOUNT_AFTER STORE(b,COUNTED(s),0)
#else
#define UNCOUNT_FIRST STORE(b,COUNTED(s),0);
#define UNCOUNT_AFTER skip
#endif
inline count_in() {
#ifdef COUNT_EARLY                                /* planted: counted = 1 before the fetch_add */
  STORE(b,COUNTED(s),1);
#endif
#ifdef NO_COUNT                                   /* planted */
#else
  d_step { DRAINED(b) -> mem[SLEEPERS]++; sleeps[s] = 1 };
#endif
#ifndef COUNT_EARLY
  STORE(b,COUNTED(s),1)
#endif
}
inline count_out() { UNCOUNT_FIRST
#ifndef NO_COUNT
  d_step { DRAINED(b) -> mem[SLEEPERS]--; sleeps[s] = 0; assert(mem[SLEEPERS] < 128 && mem[SLEEPERS] >= LIVING_SLEEPERS) };
#endif
  UNCOUNT_AFTER }
#ifdef ARM_PLAIN                                  /* planted: arming is no barrier */
#define ARM STORE(b,ASLEEP(s),gen)
#else
#define ARM XCHG(b,ASLEEP(s),gen)
#endif
#ifdef ARM_ONCE                                   /* planted: one generation for the whole wait */
#define NEXT_GEN if :: r == 2 :: else -> gen++ fi
#else
#define NEXT_GEN gen++
#endif
proctype Sub(byte s; byte b; bool again) { byte cur[PUBS], v, p, k, gen, r; bool took;
  { if :: again -> end_owned: deadsub :: else fi;            /* F_OFD_SETLK succeeds once the first owner is dead */
    exists[s] = 1;
    if :: again -> LOAD(b,COUNTED(s),v);          /* what it took over may be counted, and armed */
                   if :: v -> STORE(b,COUNTED(s),0); d_step { DRAINED(b) -> mem[SLEEPERS]--; assert(mem[SLEEPERS] < 128 && mem[SLEEPERS] >= LIVING_SLEEPERS) } :: else fi;
                   STORE(b,ASLEEP(s),0)
       :: else fi;
    RMW_ADD(b,EPOCH,1,gen);
#ifdef GEN_RESTART                                /* planted: generations of two owners of one segment meet */
    gen = 0;
#else
    gen = gen * 16;                               /* unique for all time: from this join's epoch */
#endif
    v = 0;
#ifdef FIFO
    count_in();
#ifndef NO_FIRST_TOKEN                            /* planted: readable only after the first empty take */
    tokens[s] = 1;
#endif
    do
    :: take_one();
       if :: ALL -> break :: else fi;
       if
       :: !took ->
#ifndef DRAIN_LATE
          tokens[s] = 0;
#endif
          gen++; ARM;
          ready();
#ifdef DRAIN_LATE                                 /* planted: drains after the last look */
          tokens[s] = 0;
#endif
#ifndef NO_OWN_TOKEN                              /* planted: looks, but leaves the descriptor unreadable */
          if :: r -> tokens[s] = 1 :: else fi;
#endif
          r = 0;
          (tokens[s] > 0)                         /* poll */
       :: took                                    /* takes the next one at once, or ... */
       :: took ->                                 /* ... goes back to the event loop: the token must still be there */
#ifdef DRAIN_ON_TAKE                              /* planted: drains although there may be more */
          tokens[s] = 0;
#endif
          (tokens[s] > 0)
       fi
    od
#else
    do
    :: take_one();
       if :: ALL -> break :: else fi;
       if
       :: took
       :: else ->
          count_in();
          do
          ::
#ifndef BELL_AFTER_ARM                            /* planted: rung for this generation before the bell is read */
             LOAD(b,BELL,k);
#endif
             NEXT_GEN; ARM;
#ifdef BELL_AFTER_ARM
             LOAD(b,BELL,k);
#endif
             ready();
#ifdef BELL_LATE                                  /* planted: the bell is read after the look */
             LOAD(b,BELL,k);
#endif
             if :: r -> break :: else fi;
             atomic { if :: mem[BELL] == k -> waiting[s] = 1 :: else fi };         /* FUTEX_WAIT(bell, k) */
             !waiting[s]; r = 2                   /* woken, perhaps by somebody else's bell */
          od; k = 0; r = 0;
          STORE(b,ASLEEP(s),0);
          count_out()
       fi
    od
#endif
    ; STORE(b,ASLEEP(s),0); 
#ifdef FIFO
    count_out();
#endif
    DRAINED(b) }
  unless { (s == 0 && !again && kills) || (dead0 && DEAD0_DONE && SECOND_DONE) ->
     sleeps[s] = 0; waiting[s] = 0; DRAINED(b); deadsub = 1 } }   /* what is in its store buffer still arrives */
#if defined(KILL_SUB) && !defined(RETURN) && !defined(NO_JANITOR)
bool linked = 1, jlock;
proctype Janitor(byte me) { byte v, b; b = JAN + me;
  { skip; end_alive: (deadsub && !jlock); atomic { !jlock -> jlock = 1 };   /* both locks of the segment, held */
    if
    :: linked -> LOAD(b,COUNTED(0),v);
#ifndef DEC_FIRST                                 /* planted: killed between, the next janitor subtracts again */
       linked = 0;
#endif
       if :: v -> d_step { DRAINED(b) -> mem[SLEEPERS]--; assert(mem[SLEEPERS] < 128 && mem[SLEEPERS] >= LIVING_SLEEPERS) } :: else fi;
#ifdef DEC_FIRST
       linked = 0;
#endif
       exists[0] = 0
    :: else
    fi; jlock = 0; v = 0 }
  unless { (me == 0 && jkill) -> jlock = 0 } }
#endif
proctype Killer() {
#ifdef KILL_PUB
  if :: killp = 1 :: skip fi
#endif
#ifdef KILL_SUB
  if :: kills = 1; if :: deadsub -> jkill = 1 :: skip fi :: skip fi
#endif
  skip }
init { byte i; atomic { i = 0; do :: i < NB -> run Flush(i); i++ :: else -> break od; run Killer();
  i = 0; do :: i < PUBS -> run Pub(i,0); i++ :: else -> break od;
  i = 0; do :: i < SUBS -> run Sub(i,PUBS+i,0); i++ :: else -> break od; i = 0;
#ifdef RETURN
  run Sub(0,PUBS+SUBS,1);
#elif defined(KILL_SUB) && !defined(NO_JANITOR)
  run Janitor(0); run Janitor(1)
#endif
  } }
