/* Which samples are promised: FLOOR, depth, early retirement, joining, and a publisher that waits.
 * Subscriber A (-DWITH_A) is there from the start, B joins at any time and asks for HB samples of history; each is lossless or
 * dropping (-DDROP_A, -DDROP_B) with a depth.  FLOOR is a word in the publisher's segment: no newcomer is promised a
 * sample below it; what is below may be retired (early) or overwritten.  Cursor words hold 1 + cursor; 0: none.
 *   -DPJOIN  the publisher joins at any time, too: B may have joined with no cursor for it
 *   -DQUIET  B joins when the publisher has published all and rests: it must start exactly HB samples back
 *   -DKILL   A is killed anywhere
 *   -DGRANT_DROP  the publisher grants nothing to lossless subscribers, so it never gates (all must be dropping)
 * Promises: a lossless subscriber finds no sample retired or overwritten from its start on; a dropping one loses a sample
 * only while more than `depth` are unread; who has joined gets all that is published from then on;
 * publish never goes beyond the depth of a lossless subscriber that had joined when publish was called. */
#ifndef N
#define N 2
#endif
#ifndef H
#define H 0
#endif
#ifndef HB
#define HB H
#endif
#ifndef DA
#define DA 1
#endif
#ifndef DB
#define DB 1
#endif
#ifndef MSG
#define MSG 4
#endif
#ifdef DROP_A
#define LOSSLESS_A 0
#else
#define LOSSLESS_A 1
#endif
#ifdef DROP_B
#define LOSSLESS_B 0
#else
#define LOSSLESS_B 1
#endif
#define NB 3
#define SEQ(i) ((i)%N)
#define CUR(s) (N+(s))
#define JOINED(s) (N+2+(s))
#define EPOCH  (N+4)
#define FLOOR  (N+5)
#define WANT   (N+6)                    /* "the publisher waits": its own word; subscribers then ring the twin */
#define TWIN   (N+7)
#define NA     (N+8)
#define UP(x,y) if :: (x) < (y) -> x = (y) :: else fi
#define DOWN(x,y) if :: (x) > (y) -> x = (y) :: else fi
#define LESS(x,y) ((x) > (y) -> (x) - (y) : 0)
#define ON_COMMIT(ad,va) if :: (ad) == JOINED(1) && (va) -> g = tailg :: else fi
bool late, killa, pwait, dead[2], exists[2], pexists, fin; byte tailg, g = 255;   /* g: what was published when B had joined */
#include "tso.h"
#define P 0
#ifdef DROPPING_EARLY                   /* planted: retires one sample that is within the depth */
#define EARLY 1
#else
#define EARLY 0
#endif
inline look() {                         /* need: the lowest sample wanted; lim: how far the lossless let us go */
  need = 255; lim = 255; unsettled = 0; s = 0;
  do
  :: s < 2 && list[s] -> j = mem[JOINED(s)];
     d_step {
       v = mem[CUR(s)];
#ifndef UNSEEN_FREE                     /* planted: who has joined, but has no cursor for me yet, does not gate */
       if :: !v && j -> v = 1 :: else fi;
#endif
       if :: dead[s] -> list[s] = 0; v = 0; j = 1 :: else fi;
       if :: v -> v--;
             if :: (s == 0 -> LOSSLESS_A : LOSSLESS_B) -> DOWN(lim, v + (s == 0 -> DA : DB))
                :: else -> UP(v, LESS(n + EARLY, (s == 0 -> DA : DB)))
             fi; DOWN(need, v)
          :: else
       fi;
       if :: !j -> unsettled = 1 :: else fi; v = 0; j = 0; s++ }
  :: s < 2 && !list[s] -> s++
  :: else -> s = 0; break
  od; skip }
inline relist() { e = mem[EPOCH]; skip; d_step { if :: e != cached -> cached = e; list[0] = exists[0]; list[1] = exists[1] :: else fi; e = 0 } }
inline clamp(f) { UP(f, LESS(n,N)); 
#ifndef NO_CLAMP                        /* planted: FLOOR falls below what is retired already */
  UP(f, retired)
#endif
}
inline retire_below(f) {                /* any number of them, oldest first */
  do :: UP(retired, LESS(n,N)); if :: retired < (f) -> 
#ifdef RETIRE_PLAIN
          STORE(P,SEQ(retired),4*retired+3);
#else
          XCHG(P,SEQ(retired),4*retired+3);
#endif
          retired++ :: else -> break fi
     :: break od }
inline refresh() {
  look();
#ifdef NO_HISTORY                       /* planted: forgets the history that newcomers may ask for */
  d_step { floor = need; DOWN(floor, n); clamp(floor) };
#else
  d_step { floor = need; DOWN(floor, LESS(n,H)); clamp(floor) };
#endif
#ifdef FLOOR_PLAIN                      /* planted: the store of FLOOR is no barrier */
  STORE(P,FLOOR,floor);
#else
  XCHG(P,FLOOR,floor);
#endif
#ifdef RETIRE_EARLY                     /* planted: uses the new FLOOR before it has looked again */
  retire_below(floor);
#endif
#ifndef NO_SECOND_LOOK                  /* planted */
#ifndef NO_RELIST                       /* planted: looks again, but only at those it knows */
  relist();
#endif
  look();
#endif
  if :: need < floor -> d_step { floor = need; clamp(floor) }; STORE(P,FLOOR,floor) :: else fi;
#ifdef NO_RELIST
  relist();
#endif
  need = 0 }
#ifdef GRANT_DROP                       /* the publisher grants nothing to lossless subscribers: never gated, never looks */
#define BLOCKED 0
#define GRANTS_NOTHING 1
#define NO_EPOCH_CHECK
#else
#define GRANTS_NOTHING 0
#define BLOCKED (n >= lim || n >= floor + N)
#endif
#ifdef CACHE_UNSETTLED                  /* planted: trusts what it has seen of a subscriber that was still joining */
#define SETTLED 1
#else
#define SETTLED (!unsettled || GRANTS_NOTHING)
#endif
proctype Pub() { byte n, lim, s, v, e, j, cached, floor, need, retired, k; bool list[2], vol, jg[2], unsettled;
#ifdef PJOIN
  pexists = 1; RMW_ADD(P,EPOCH,1,cached); cached++;
#endif
  list[0] = exists[0]; list[1] = exists[1];
  refresh();
  do
  :: n == MSG -> refresh(); retire_below(floor); break
  :: n < MSG && !vol -> vol = 1; refresh(); retire_below(floor)                 /* memory is short */
  :: n < MSG ->
       d_step { jg[0] = mem[JOINED(0)]; jg[1] = mem[JOINED(1)] };              /* publish is called */
       do
       :: e = mem[EPOCH];
#ifdef NO_EPOCH_CHECK                   /* planted: looks again only at LIMIT and FLOOR */
          e = cached;
#endif
          if
          :: !BLOCKED && e == cached && SETTLED -> break
          :: else ->
             refresh();
             if
             :: !BLOCKED -> break
             :: else ->
#ifdef WANT_PLAIN                       /* planted */
                STORE(P,WANT,1);
#else
                XCHG(P,WANT,1);
#endif
                k = mem[TWIN]; relist(); look(); need = 0;
                if :: n >= lim ->
                      atomic { if :: mem[TWIN] == k -> pwait = 1 :: else fi };
#ifdef NO_SLICE                         /* planted: nobody wakes it when the one that it waits for is dead */
                      !pwait
#else
                      (!pwait || dead[0] || dead[1]); pwait = 0     /* wakes now and then to test locks */
#endif
                   :: else fi;
                STORE(P,WANT,0); k = 0
             fi
          fi
       od; e = 0;
       d_step {                         /* exact depth, as seen from outside */
         assert(!(LOSSLESS_A && jg[0] && !dead[0]) || n < LESS(mem[CUR(0)],1) + DA);
         assert(!(LOSSLESS_B && jg[1] && !dead[1]) || n < LESS(mem[CUR(1)],1) + DB); jg[0] = 0; jg[1] = 0 };
       STORE(P,SEQ(n),4*n+1);
       d_step { DRAINED(P) -> mem[SEQ(n)] = 4*n+2; n++; tailg = n; vol = 0 }    /* the exchange */
  od; DRAINED(P); fin = 1 }
#define JUST_CAME (late && s == 1 && cur < g)        /* published while B was joining: not promised, but announced */
inline take_all(s,b,lossless,depth) {
  do
  :: cur == MSG -> break
  :: cur < MSG ->
     q = mem[SEQ(cur)];
     assert(!lossless || q <= 4*cur+2);            /* never lapped, never retired under it */
     if
     :: q == 4*cur+2 ->
#ifdef CURSOR_EARLY                                /* planted: the cursor moves before the sample is safe */
        XCHG(b,CUR(s),cur+2);
#endif
        q = mem[SEQ(cur)];                        /* pinned: is it still valid? */
        assert(!lossless || q == 4*cur+2);
        if
        :: q == 4*cur+2 -> cur++;
#ifdef TAKE_PLAIN                                  /* planted: the cursor's store is no barrier before WANT */
           STORE(b,CUR(s),cur+1);
#else
           XCHG(b,CUR(s),cur+1);
#endif
           q = mem[WANT]; if :: q -> RMW_ADD(b,TWIN,1,q); pwait = 0 :: else fi
        :: else
        fi
     :: q == 4*cur+3 -> assert(tailg > cur + depth || JUST_CAME); cur++; STORE_R(b,CUR(s),cur+1)
     :: q > 4*cur+3 -> assert(tailg > cur + depth || JUST_CAME); cur = q/4 - N + 1; STORE_R(b,CUR(s),cur+1)
     :: else -> (mem[SEQ(cur)] >= 4*cur+2)
     fi; q = 0
  od }
proctype A() { byte cur, q; { take_all(0,1,LOSSLESS_A,DA) } unless { killa -> DRAINED(1); dead[0] = 1 } }
inline place() {                        /* B's start in the publisher's stream, and its cursor */
  t = mem[FLOOR]; UP(cur,t);
  do ::
#ifdef JOIN_PLAIN                       /* planted: the cursor's store is no barrier */
        STORE(2,CUR(1),cur+1);
#else
        XCHG(2,CUR(1),cur+1);
#endif
#ifdef NO_FLOOR_CHECK                   /* planted: does not look at FLOOR again */
        break
#else
        t = mem[FLOOR]; if :: t > cur -> cur = t :: else -> break fi
#endif
  od; from = cur; t = 0 }
inline ring_twin() { q = mem[WANT]; if :: q -> RMW_ADD(2,TWIN,1,q); pwait = 0 :: else fi; q = 0 }
proctype B() { byte cur, q, t, from, cached; bool known;
#ifdef QUIET
  fin;
#endif
  exists[1] = 1; RMW_ADD(2,EPOCH,1,cached); cached++;
  known = pexists;
  if
  :: known ->                           /* the newest sequence that is there, from the slots */
     q = 0; do :: q < N -> t = mem[SEQ(q)]; if :: t%4 == 1 -> UP(cur, t/4) :: t%4 > 1 -> UP(cur, t/4+1) :: else fi; q++ :: else -> break od; q = 0; t = 0;
     cur = LESS(cur,HB); place();
#ifdef QUIET
     assert(from == LESS(MSG,HB))
#endif
  :: else
  fi;
  STORE_R(2,JOINED(1),1);
#ifndef NO_JOIN_RING                    /* planted: the join has raised its own cursor: that, too, may free the publisher */
  DRAINED(2); ring_twin();
#endif
  if
  :: known
  :: else ->                            /* found by a later listing: it was there first, so from the first sample on */
     do :: t = mem[EPOCH]; if :: t != cached && pexists -> break :: else -> (mem[EPOCH] != cached && pexists) fi od; t = 0;
#ifdef LATE_AS_NEWEST                   /* planted */
     q = 0; do :: q < N -> t = mem[SEQ(q)]; if :: t%4 == 1 -> UP(cur, t/4) :: t%4 > 1 -> UP(cur, t/4+1) :: else fi; q++ :: else -> break od; q = 0; t = 0;
#endif
#if defined(DROP_B) && !defined(LATE_AT_FLOOR) || defined(LATE_NO_FLOOR)
     /* A dropping one starts at the first sample and announces what it finds gone; planted: a lossless one does so, too. */
     XCHG(2,CUR(1),1); from = 0; late = 1;
#else                                   /* A lossless one looks at FLOOR; planted: a dropping one does so, silently. */
     place();
#endif
     ring_twin()
  fi;
  cached = 0; DRAINED(2); assert(from <= g);
  take_all(1,2,LOSSLESS_B,DB) }
proctype Killer() {
#ifdef KILL
  if :: killa = 1 :: skip fi
#endif
  skip }
init { atomic {
#ifdef WITH_A
  exists[0] = 1; mem[CUR(0)] = 1; mem[JOINED(0)] = 1; run A();
#endif
#ifndef PJOIN
  pexists = 1;
#endif
  run Flush(0); run Flush(1); run Flush(2); run Killer(); run Pub(); run B() } }
