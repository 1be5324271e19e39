/* Publish, take, early retirement, reclaim; a dropping subscriber joins at any time and holds up to PINS samples.
 * Ring N=2, CH chunks, SUBS subscribers, MSG samples.  Slot word: 0 never, 4n+1 sample n is being written, 4n+2 valid,
 * 4n+3 retired: its chunk was given back early.  Here the publisher retires any sample at any time; which ones it may is
 * FLOOR's matter (m5).  Promises: no chunk that is pinned and validated is ever written; what is read is what was
 * published; a loss is counted exactly. */
#define N 2
#ifndef CH
#define CH 3
#endif
#ifndef SUBS
#define SUBS 1
#endif
#ifndef PINS
#define PINS 2
#endif
#ifndef MSG
#define MSG 4
#endif
#define NB (1+SUBS)
#define SEQ(i) ((i)%N)
#define CHK(i) (N+((i)%N))
#define PAY(c) (2*N-1+(c))          /* chunk ids 1..CH; 0: none */
#define EPOCH  (2*N+CH)
#define USED(s) (EPOCH+1+(s))       /* pins at and above this index were never used */
#define PIN(s,i) (EPOCH+1+SUBS+(s)*PINS+(i))
#define NA     (EPOCH+1+SUBS+SUBS*PINS)
byte hold[SUBS*PINS];               /* ghost: chunks that are validated and being read */
byte begun;                         /* ghost: 1 + highest sequence whose writing mark was issued */
bool exists[SUBS];                  /* the directory: system calls, so not buffered */
bool pub_done;
#if SUBS*PINS == 1
#define HELD(c) (hold[0]==(c))
#elif SUBS*PINS == 2
#define HELD(c) (hold[0]==(c) || hold[1]==(c))
#else
#define HELD(c) (hold[0]==(c) || hold[1]==(c) || hold[2]==(c) || hold[3]==(c))
#endif
#define ON_COMMIT(ad,va) if :: (ad) >= PAY(1) && (ad) <= PAY(CH) -> assert(!HELD((ad)-PAY(1)+1)) :: else fi
#include "tso.h"
#define P 0
#define FREE_CHUNK c = 1; do :: c <= CH && !isfree[c] -> c++ :: else -> break od
inline relist() { e = mem[EPOCH]; if :: e != cached -> cached = e; s = 0; do :: s < SUBS -> list[s] = exists[s]; s++ :: else -> break od :: else fi; s = 0; e = 0 }
inline reclaim() {                  /* after the marks: epoch, list, pins */
#ifndef EPOCH_EARLY
  relist();
#endif
  do
  :: s < SUBS ->
     if
     :: list[s] ->
#ifdef USED_CACHED                  /* planted: pins_used as it was when the subscriber was listed */
        if :: !used[s] -> used[s] = mem[USED(s)] :: else fi; x = used[s];
#else
        x = mem[USED(s)];
#endif
        do :: i < x -> v = mem[PIN(s,i)]; if :: v -> pinned[v] = 1 :: else fi; v = 0; i++ :: else -> break od; i = 0; x = 0
     :: else
     fi; s++
  :: else -> break
  od; s = 0;
  d_step { c = 1; do :: c <= CH -> if :: ret[c] && !pinned[c] -> ret[c] = 0; isfree[c] = 1 :: else fi; pinned[c] = 0; c++ :: else -> break od; c = 0 } }
proctype Pub() {
  byte n, c, old, e, cached, v, s, i, x; bool isfree[CH+1], ret[CH+1], pinned[CH+1], list[SUBS];
#ifdef USED_CACHED
  byte used[SUBS];
#endif
  d_step { c = 1; do :: c <= CH -> isfree[c] = 1; c++ :: else -> break od; c = 0 };
  do
  :: n == MSG -> break
  :: d_step { n > 0 && mem[SEQ(n-1)] == 4*(n-1)+2 -> v = n-1 }; goto retire      /* the newest ... */
  :: d_step { n > 1 && mem[SEQ(n-2)] == 4*(n-2)+2 -> v = n-2 };                    /* ... or the oldest */
retire:
     LOAD(P,CHK(v),old);
#ifdef EPOCH_EARLY                  /* planted: the look at the epoch comes before the mark */
     relist();
#endif
#ifdef RETIRE_PLAIN                 /* planted: the mark is no barrier */
     STORE_R(P,SEQ(v),4*v+3);
#elif defined(RETIRE_LATE)          /* planted: gives the chunk back before the mark */
     d_step { ret[old] = 1 }; reclaim(); XCHG(P,SEQ(v),4*v+3);
#else
     XCHG(P,SEQ(v),4*v+3);
#endif
#ifdef FREE_AT_ONCE                 /* planted: the chunk of a retired sample does not go through reclaim */
     d_step { isfree[old] = 1; old = 0; v = 0 }
#else
     d_step { ret[old] = 1; old = 0; v = 0 }
#endif
  :: n < MSG ->
     do :: d_step { FREE_CHUNK }; if :: c > CH -> c = 0; reclaim(); if :: isfree[1] || isfree[2] || isfree[CH] || isfree[CH-1] :: else -> break fi :: else -> break fi od;
     if
     :: c == 0                      /* all chunks are in the ring or pinned: later */
     :: else ->
     isfree[c] = 0;
     STORE(P,PAY(c),n+1);           /* the loan is filled */
     LOAD(P,SEQ(n),v);
#ifdef OLD_UNCHECKED                /* planted: takes the chunk of a slot that is retired already */
     if :: v -> LOAD(P,CHK(n),old) :: else fi; v = 0;
#else
     if :: v && v%4 == 2 -> LOAD(P,CHK(n),old) :: else fi; v = 0;
#endif
#ifdef EPOCH_EARLY
     relist();
#endif
#ifndef NO_WRITING_MARK             /* planted */
     d_step { sb[P].n < K -> begun = n+1 };
     STORE(P,SEQ(n),4*n+1);
#else
     begun = n+1;
#endif
#ifdef FIELDS_PLAIN                 /* planted under WEAK: the fields are not release stores */
     STORE(P,CHK(n),c);
#else
     STORE_R(P,CHK(n),c);
#endif
#ifdef PUB_PLAIN                    /* planted: a release store instead of the exchange */
     STORE_R(P,SEQ(n),4*n+2);
#else
     XCHG(P,SEQ(n),4*n+2);
#endif
     d_step { if :: old -> ret[old] = 1 :: else fi; old = 0; c = 0; n++ }
     fi
  od; pub_done = 1 }
inline give_back(i) { LOAD(b,PAY(hold[s*PINS+i]),t); assert(t == sq[i]+1);
  d_step { hold[s*PINS+i] = 0; sq[i] = 0; t = 0 }; STORE_R(b,PIN(s,i),0) }
#if PINS == 2
#define SECOND_FREE (!hold[s*PINS+1])
#define SECOND_HELD hold[s*PINS+1]
#else
#define SECOND_FREE 0
#define SECOND_HELD 0
#endif
proctype Sub(byte s; byte b) {
  byte cur, got, lost, q, c, t, i, used, sq[PINS];
  exists[s] = 1;
#ifndef PIN_BEFORE_EPOCH
  RMW_ADD(b,EPOCH,1,t);
#endif
  t = 0;
  do
  :: cur == MSG && !hold[s*PINS] && !SECOND_HELD -> break
  :: hold[s*PINS] -> give_back(0)
#if PINS == 2
  :: hold[s*PINS+1] -> give_back(1)
#endif
  :: cur < MSG && (!hold[s*PINS] || SECOND_FREE) ->
    q = mem[SEQ(cur)];
    if
    :: q == 4*cur+2 ->
       c = mem[CHK(cur)];
       i = (hold[s*PINS] -> 1 : 0);
#ifndef USED_LATE                           /* planted: raised only after the pin is set */
       if :: used <= i -> used = i+1; STORE(b,USED(s),used) :: else fi;
#endif
#ifdef PIN_PLAIN                            /* planted: a store instead of the exchange */
       STORE(b,PIN(s,i),c);
#else
       XCHG(b,PIN(s,i),c);
#endif
#ifdef NO_RECHECK                           /* planted */
       d_step { hold[s*PINS+i] = c; sq[i] = cur };
#else
       d_step { q = mem[SEQ(cur)]; if :: q == 4*cur+2 -> hold[s*PINS+i] = c; sq[i] = cur :: else fi };
#endif
#ifdef USED_LATE
       if :: used <= i -> used = i+1; STORE(b,USED(s),used) :: else fi;
#endif
       if
       :: hold[s*PINS+i] ->
#ifdef PIN_BEFORE_EPOCH                     /* planted: joins with its first pin set already */
          if :: got == 0 -> RMW_ADD(b,EPOCH,1,t); t = 0 :: else fi;
#endif
          LOAD(b,PAY(c),t); assert(t == cur+1);
          d_step { cur++; got++; t = 0 }
       :: else -> STORE_R(b,PIN(s,i),0)
       fi; i = 0
    :: q == 4*cur+3 ->
#ifdef RETIRED_AS_LAPPED                    /* planted: does not know the third state */
       cur = q/4 - N + 1
#else
       d_step { cur++; lost++ }
#endif
    :: q > 4*cur+3 ->                       /* lapped: q/4 is the newest begun sequence in this slot */
       d_step { t = q/4 - N + 1; assert(t > cur && begun >= t + N); lost = lost + t - cur; cur = t; t = 0 }
    :: else -> (pub_done || mem[SEQ(cur)] >= 4*cur+2 || hold[s*PINS] || SECOND_HELD)      /* empty: poll */
    fi; q = 0; c = 0
  od;
  assert(got + lost == MSG) }
init { atomic { run Flush(0); run Flush(1);
#if SUBS == 2
  run Flush(2); run Sub(1,2);
#endif
  run Sub(0,1); run Pub() } }
