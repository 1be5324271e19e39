/* A durable subscriber's segment: owner 0 may die anywhere, owner 1 (same name, same segment) takes the lock and goes on
 * from the stored cursor, while the publisher retires early and reclaims with a list of segments cached by epoch, and may
 * drop the segment after a test of its lock.  Words under TSO; lock and directory are system calls.
 * Promise: no chunk that is pinned and validated, by either owner, is ever written. */
#define N 2
#ifndef CH
#define CH 3
#endif
#ifndef MSG
#define MSG 4
#endif
#define NB 3
#define SEQ(i) ((i)%N)
#define CHK(i) (N+((i)%N))
#define PAY(c) (2*N-1+(c))
#define EPOCH  (2*N+CH)
#define PIN    (EPOCH+1)
#define CUR    (EPOCH+2)
#define NA     (EPOCH+3)
byte hold[2]; bool exists, pub_done, gone; byte lock;  /* lock: 0 or 1 + owner */
#define HELD(c) (hold[0]==(c) || hold[1]==(c))
#define ON_COMMIT(ad,va) if :: (ad) >= PAY(1) && (ad) <= PAY(CH) -> assert(!HELD((ad)-PAY(1)+1)) :: else fi
#include "tso.h"
#define P 0
inline reclaim() {
  e = mem[EPOCH];
  if :: e != cached ->
#ifndef CACHE_AFTER
        cached = e;
#endif
        list = exists
     :: else fi;
  v = 0;
  if
  :: list -> v = mem[PIN];
#ifdef TEST_BEFORE_PIN                        /* drops a dead one without looking at its pin: right, too */
     if :: !lock -> list = 0; v = 0 :: else fi
#else
     if :: v && ret[v] -> if :: !lock -> list = 0; v = 0 :: else fi :: else fi
#endif
  :: else
  fi;
#ifdef CACHE_AFTER                            /* planted: remembers an epoch newer than what it looked at */
  cached = mem[EPOCH];
#endif
  d_step { c = 1; do :: c <= CH -> if :: ret[c] && v != c -> ret[c] = 0; isfree[c] = 1 :: else fi; c++ :: else -> break od; c = 0; e = 0; v = 0 } }
proctype Pub() {
  byte n, c, old, e, cached, v; bool isfree[CH+1], ret[CH+1], list;
  d_step { c = 1; do :: c <= CH -> isfree[c] = 1; c++ :: else -> break od; c = 0 };
  do
  :: n == MSG -> break
  :: d_step { n > 1 && mem[SEQ(n-2)] == 4*(n-2)+2 -> v = n-2 };          /* retires the oldest early */
     LOAD(P,CHK(v),old); XCHG(P,SEQ(v),4*v+3);
     d_step { ret[old] = 1; old = 0; v = 0 }
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
        STORE(P,PAY(c),n+1);
        LOAD(P,SEQ(n),v); if :: v && v%4 == 2 -> LOAD(P,CHK(n),old) :: else fi; v = 0;
        STORE(P,SEQ(n),4*n+1);
        STORE_R(P,CHK(n),c);
        XCHG(P,SEQ(n),4*n+2);
        d_step { if :: old -> ret[old] = 1 :: else fi; old = 0; c = 0; n++ }
     fi
  od; pub_done = 1 }
inline take_all(s,b) {
  do
  :: cur == MSG -> break
  :: cur < MSG ->
    q = mem[SEQ(cur)];
    if
    :: q == 4*cur+2 ->
       c = mem[CHK(cur)];
       XCHG(b,PIN,c);
       d_step { q = mem[SEQ(cur)]; if :: q == 4*cur+2 -> hold[s] = c :: else fi };
       if
       :: hold[s] ->
          STORE_R(b,CUR,cur+1);
          q = mem[PAY(c)]; assert(q == cur+1);
          q = mem[PAY(c)]; assert(q == cur+1);
          d_step { hold[s] = 0; cur++ }
       :: else
       fi;
       STORE_R(b,PIN,0)
    :: q == 4*cur+3 -> cur++
    :: q > 4*cur+3 -> cur = q/4 - N + 1
    :: else -> (pub_done || mem[SEQ(cur)] >= 4*cur+2)
    fi; q = 0; c = 0
  od }
proctype Sub(byte s; byte b) {
  byte cur, q, c;
  {
#ifdef EPOCH_BEFORE_LOCK                       /* planted: a publisher drops the newcomer as dead */
    exists = 1; RMW_ADD(b,EPOCH,1,q); q = 0;
#endif
    atomic { !lock -> lock = 1 + s };          /* F_OFD_SETLKW on the segment */
    exists = 1;
#ifndef NO_CLEAR                               /* stale pins only cost chunks */
    STORE(b,PIN,0);
#endif
#ifdef NO_EPOCH                                /* planted: the same segment comes back without raising the epoch */
    if :: s == 0 -> RMW_ADD(b,EPOCH,1,q) :: else fi;
#elif !defined(EPOCH_BEFORE_LOCK)
    RMW_ADD(b,EPOCH,1,q);
#endif
    q = 0; LOAD(b,CUR,cur);
    take_all(s,b); STORE(b,CUR,cur); DRAINED(b);
    lock = 0 }
  unless { (s == 0 && gone) -> hold[0] = 0; DRAINED(b); if :: lock == 1 + s -> lock = 0 :: else fi } }   /* buffers drain before the kernel unlocks */
proctype Killer() { if :: gone = 1 :: skip fi }
init { atomic { run Flush(0); run Flush(1); run Flush(2); run Killer(); run Sub(0,1); run Sub(1,2); run Pub() } }
