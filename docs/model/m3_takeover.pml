/* The publisher dies anywhere in publish, early retirement or reclaim; candidates race for its lock; the winner derives
 * everything from slots and live pins and goes on.  Payload = 1 + sequence + 16 * incarnation.
 * Promises: m1's; at most the oldest sample in the ring is gone; no sequence becomes valid twice. */
#define N 2
#ifndef CH
#define CH 4
#endif
#ifndef SUBS
#define SUBS 1
#endif
#ifndef MSG
#define MSG 3
#endif
#define NB (3+SUBS)
#define SEQ(i) ((i)%N)
#define CHK(i) (N+((i)%N))
#define PAY(c) (2*N-1+(c))
#define PIN(s) (2*N+CH+(s))
#define TAIL   (2*N+CH+SUBS)           /* for FROM_TAIL only: there is no such word */
#define NA     (TAIL+1)
#ifdef ANON_BUSY                       /* planted: the writing mark does not say which sample */
#define WRITING(n) 255
#else
#define WRITING(n) (4*(n)+1)
#endif
byte hold[SUBS], lock, alive = 2, inc; bool gone;
bool seen[MSG];                        /* ghost: the sequence has been valid */
#if SUBS == 2
#define HELD(c) (hold[0]==(c) || hold[1]==(c))
#else
#define HELD(c) (hold[0]==(c))
#endif
#define ON_COMMIT(ad,va) if :: (ad) >= PAY(1) && (ad) <= PAY(CH) -> assert(!HELD((ad)-PAY(1)+1)) \
  :: (ad) < N && (va) && (va) != 255 && (va)%4 == 2 -> assert(!seen[(va)/4]); seen[(va)/4] = 1 :: else fi
#include "tso.h"
inline reclaim() { s = 0;
#ifndef NO_PIN_SCAN
  do :: s < SUBS -> v = mem[PIN(s)]; if :: v -> pinned[v] = 1 :: else fi; s++ :: else -> break od;
#endif
  s = 0; v = 0;
  d_step { c = 1; do :: c <= CH -> if :: ret[c] && !pinned[c] -> ret[c] = 0; isfree[c] = 1 :: else fi; pinned[c] = 0; c++ :: else -> break od; c = 0 } }
proctype Pub(byte b) {
  byte n, c, old, v, s, x, my; bool isfree[CH+1], ret[CH+1], pinned[CH+1];
  {
#ifndef NO_LOCK                        /* planted */
    atomic { lock == 0 -> lock = b + 1 };
#endif
    inc++; my = inc;
    /* Derive: the next sequence, and the chunks in the ring; all else goes through ordinary reclaim. */
    c = 1; do :: c <= CH -> ret[c] = 1; c++ :: else -> break od; c = 0;
    do
    :: s < N -> LOAD(b,SEQ(s),v);
       if
       :: v == 0
       :: v && v != 255 && v%4 == 1 -> if :: v/4 > n -> n = v/4 :: else fi           /* was being written: all before it was published */
       :: v && v != 255 && v%4 == 2 -> x++; if :: v/4 + 1 > n -> n = v/4 + 1 :: else fi; LOAD(b,CHK(s),c); ret[c] = 0; c = 0
       :: v && v != 255 && v%4 == 3 ->                                               /* retired: no chunk of its own */
#ifdef RETIRED_UNSEEN                  /* planted: a retired slot says nothing about the sequence */
          x++
#else
          x++; if :: v/4 + 1 > n -> n = v/4 + 1 :: else fi
#endif
       :: v == 255
       fi; s++
    :: else -> break
    od;
    assert(n >= N -> x >= N-1 : x >= n - (n > 0 -> 1 : 0) );           /* at most one sample of history is gone */
#ifdef FROM_TAIL                       /* planted: a count beside the slots */
    LOAD(b,TAIL,n);
#endif
    s = 0; v = 0; x = 0;
#ifdef NO_PIN_SCAN                     /* planted: what is not in the ring is free */
    c = 1; do :: c <= CH -> isfree[c] = ret[c]; ret[c] = 0; c++ :: else -> break od; c = 0;
#endif
    do
    :: n >= MSG -> break
#ifndef NO_RETIRE
    :: d_step { n > 0 && mem[SEQ(n-1)] == 4*(n-1)+2 && DRAINED(b) -> v = n-1 };
       LOAD(b,CHK(v),old); XCHG(b,SEQ(v),4*v+3);
       d_step { ret[old] = 1; old = 0; v = 0 }
#endif
    :: n < MSG ->
       do
       :: d_step { c = 1; do :: c <= CH && !isfree[c] -> c++ :: else -> break od };
          if :: c <= CH -> break :: else -> reclaim() fi;
          if :: isfree[1] || isfree[2] || isfree[3] || isfree[CH] :: else -> break fi
       od;
       if
       :: c == 0
       :: else ->
          isfree[c] = 0;
          STORE(b,PAY(c),n+1+16*my);
          LOAD(b,SEQ(n),v); LOAD(b,CHK(n),old);
#ifdef RETIRE_BUSY                     /* planted: trusts the chunk field of a slot that was left at its writing mark */
          v = 0;
#else
          if :: v == 0 || v == 255 || v%4 != 2 -> old = 0 :: else fi; v = 0;
#endif
          STORE(b,SEQ(n),WRITING(n));
          STORE_R(b,CHK(n),c);
          XCHG(b,SEQ(n),4*n+2);
#ifdef FROM_TAIL
          STORE(b,TAIL,n+1);
#endif
          d_step { if :: old -> ret[old] = 1 :: else fi; old = 0; c = 0; n++ }
       fi
    od; DRAINED(b); lock = 0; alive-- }
  unless { (b == 0 && gone) -> DRAINED(b); if :: lock == b + 1 -> lock = 0 :: else fi; alive-- } }
proctype Sub(byte s; byte b) {
  byte cur, q, c, t;
  do
  :: cur == MSG -> break
  :: cur < MSG ->
    q = mem[SEQ(cur)];
    if
    :: q == 4*cur+2 ->
       c = mem[CHK(cur)];
       XCHG(b,PIN(s),c);
       d_step { q = mem[SEQ(cur)]; if :: q == 4*cur+2 -> hold[s] = c :: else fi };
       if
       :: hold[s] ->
          t = mem[PAY(c)]; assert(t%16 == cur+1);
          q = mem[PAY(c)]; assert(t == q);
          d_step { hold[s] = 0; t = 0; cur++ }
       :: else
       fi;
       STORE_R(b,PIN(s),0)
    :: q == 4*cur+3 -> cur++
#ifdef ANON_BUSY
    :: q != 255 && q > 4*cur+3 ->
#else
    :: q > 4*cur+3 ->
#endif
       d_step { t = q/4 - N + 1; assert(t > cur); cur = t; t = 0 }
    :: else -> if :: alive > 0 -> (alive == 0 || (mem[SEQ(cur)] >= 4*cur+2 && mem[SEQ(cur)] != 255))
               :: alive == 0 -> q = mem[SEQ(cur)];                         /* nobody left: take must have drained the ring */
                  if :: q != 255 && q >= 4*cur+2 :: else -> break fi fi
    fi; q = 0; c = 0
  od;
  q = 0; do :: q < N -> assert(mem[q] == 255 || mem[q]%4 == 1 || mem[q] < 4*cur+2); q++ :: else -> break od }
proctype Killer() { if :: gone = 1 :: skip fi }
init { atomic { run Flush(0); run Flush(1); run Flush(2); run Flush(3); run Killer();
#if SUBS == 2
  run Flush(4); run Sub(1,4);
#endif
  run Sub(0,3); run Pub(0);
#ifndef NO_SUCCESSOR
  run Pub(1)
#ifdef RACE
  ; alive = 3; run Pub(2)
#endif
#else
  alive = 1
#endif
  } }
