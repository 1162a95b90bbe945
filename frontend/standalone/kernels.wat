;; The kernels of the page that a user takes away: products of matrices in f32, by SIMD of 128 bits.
;; `npm run kernels` assembles them to static/standalone/kernels.wasm.
(module
  (memory (export "memory") 2 65536)

  ;; C = A·B + bias, for 4 rows and 8 columns at a time. A [m, k] row by row; B [strips, k, 8]; C with `row` bytes from one
  ;; row to the next; bias [m]. Counts are not 0; m is a multiple of 4.
  (func (export "gemm")
    (param $a i32) (param $b i32) (param $c i32) (param $bias i32)
    (param $m i32) (param $k i32) (param $strips i32) (param $row i32)
    (local $i i32) (local $n i32) (local $bp i32) (local $cp i32) (local $bi i32) (local $lda i32)
    (local $a0 i32) (local $a1 i32) (local $a2 i32) (local $a3 i32)
    (local $b0 v128) (local $b1 v128) (local $s v128)
    (local $c00 v128) (local $c01 v128) (local $c10 v128) (local $c11 v128)
    (local $c20 v128) (local $c21 v128) (local $c30 v128) (local $c31 v128)
    (local.set $lda (i32.shl (local.get $k) (i32.const 2)))
    (loop $strip
      (local.set $a0 (local.get $a))
      (local.set $bi (local.get $bias))
      (local.set $cp (local.get $c))
      (local.set $i (local.get $m))
      (loop $rows
        (local.set $a1 (i32.add (local.get $a0) (local.get $lda)))
        (local.set $a2 (i32.add (local.get $a1) (local.get $lda)))
        (local.set $a3 (i32.add (local.get $a2) (local.get $lda)))
        (local.set $c00 (v128.load32_splat (local.get $bi)))
        (local.set $c01 (local.get $c00))
        (local.set $c10 (v128.load32_splat offset=4 (local.get $bi)))
        (local.set $c11 (local.get $c10))
        (local.set $c20 (v128.load32_splat offset=8 (local.get $bi)))
        (local.set $c21 (local.get $c20))
        (local.set $c30 (v128.load32_splat offset=12 (local.get $bi)))
        (local.set $c31 (local.get $c30))
        (local.set $bp (local.get $b))
        (local.set $n (local.get $k))
        (loop $depth
          (local.set $b0 (v128.load (local.get $bp)))
          (local.set $b1 (v128.load offset=16 (local.get $bp)))
          (local.set $s (v128.load32_splat (local.get $a0)))
          (local.set $c00 (f32x4.add (local.get $c00) (f32x4.mul (local.get $s) (local.get $b0))))
          (local.set $c01 (f32x4.add (local.get $c01) (f32x4.mul (local.get $s) (local.get $b1))))
          (local.set $s (v128.load32_splat (local.get $a1)))
          (local.set $c10 (f32x4.add (local.get $c10) (f32x4.mul (local.get $s) (local.get $b0))))
          (local.set $c11 (f32x4.add (local.get $c11) (f32x4.mul (local.get $s) (local.get $b1))))
          (local.set $s (v128.load32_splat (local.get $a2)))
          (local.set $c20 (f32x4.add (local.get $c20) (f32x4.mul (local.get $s) (local.get $b0))))
          (local.set $c21 (f32x4.add (local.get $c21) (f32x4.mul (local.get $s) (local.get $b1))))
          (local.set $s (v128.load32_splat (local.get $a3)))
          (local.set $c30 (f32x4.add (local.get $c30) (f32x4.mul (local.get $s) (local.get $b0))))
          (local.set $c31 (f32x4.add (local.get $c31) (f32x4.mul (local.get $s) (local.get $b1))))
          (local.set $a0 (i32.add (local.get $a0) (i32.const 4)))
          (local.set $a1 (i32.add (local.get $a1) (i32.const 4)))
          (local.set $a2 (i32.add (local.get $a2) (i32.const 4)))
          (local.set $a3 (i32.add (local.get $a3) (i32.const 4)))
          (local.set $bp (i32.add (local.get $bp) (i32.const 32)))
          (br_if $depth (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        ;; The fourth row ends where the next four begin.
        (local.set $a0 (local.get $a3))
        (v128.store (local.get $cp) (local.get $c00))
        (v128.store offset=16 (local.get $cp) (local.get $c01))
        (local.set $cp (i32.add (local.get $cp) (local.get $row)))
        (v128.store (local.get $cp) (local.get $c10))
        (v128.store offset=16 (local.get $cp) (local.get $c11))
        (local.set $cp (i32.add (local.get $cp) (local.get $row)))
        (v128.store (local.get $cp) (local.get $c20))
        (v128.store offset=16 (local.get $cp) (local.get $c21))
        (local.set $cp (i32.add (local.get $cp) (local.get $row)))
        (v128.store (local.get $cp) (local.get $c30))
        (v128.store offset=16 (local.get $cp) (local.get $c31))
        (local.set $cp (i32.add (local.get $cp) (local.get $row)))
        (local.set $bi (i32.add (local.get $bi) (i32.const 16)))
        (br_if $rows (local.tee $i (i32.sub (local.get $i) (i32.const 4)))))
      (local.set $b (local.get $bp))
      (local.set $c (i32.add (local.get $c) (i32.const 32)))
      (br_if $strip (local.tee $strips (i32.sub (local.get $strips) (i32.const 1))))))

  ;; y = A·x + bias. A [m, k] row by row. m is not 0.
  (func (export "gemv")
    (param $a i32) (param $x i32) (param $y i32) (param $bias i32) (param $m i32) (param $k i32)
    (local $n i32) (local $xp i32) (local $sum v128) (local $sum2 v128) (local $rest f32)
    (loop $rows
      (local.set $sum (v128.const f32x4 0 0 0 0))
      (local.set $sum2 (v128.const f32x4 0 0 0 0))
      (local.set $rest (f32.load (local.get $bias)))
      (local.set $xp (local.get $x))
      (local.set $n (local.get $k))
      (block $eights_end
        (loop $eights
          (br_if $eights_end (i32.lt_u (local.get $n) (i32.const 8)))
          (local.set $sum (f32x4.add (local.get $sum)
            (f32x4.mul (v128.load (local.get $a)) (v128.load (local.get $xp)))))
          (local.set $sum2 (f32x4.add (local.get $sum2)
            (f32x4.mul (v128.load offset=16 (local.get $a)) (v128.load offset=16 (local.get $xp)))))
          (local.set $a (i32.add (local.get $a) (i32.const 32)))
          (local.set $xp (i32.add (local.get $xp) (i32.const 32)))
          (local.set $n (i32.sub (local.get $n) (i32.const 8)))
          (br $eights)))
      (block $ones_end
        (loop $ones
          (br_if $ones_end (i32.eqz (local.get $n)))
          (local.set $rest (f32.add (local.get $rest) (f32.mul (f32.load (local.get $a)) (f32.load (local.get $xp)))))
          (local.set $a (i32.add (local.get $a) (i32.const 4)))
          (local.set $xp (i32.add (local.get $xp) (i32.const 4)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $ones)))
      (local.set $sum (f32x4.add (local.get $sum) (local.get $sum2)))
      (f32.store (local.get $y)
        (f32.add (local.get $rest)
          (f32.add
            (f32.add (f32x4.extract_lane 0 (local.get $sum)) (f32x4.extract_lane 1 (local.get $sum)))
            (f32.add (f32x4.extract_lane 2 (local.get $sum)) (f32x4.extract_lane 3 (local.get $sum))))))
      (local.set $y (i32.add (local.get $y) (i32.const 4)))
      (local.set $bias (i32.add (local.get $bias) (i32.const 4)))
      (br_if $rows (local.tee $m (i32.sub (local.get $m) (i32.const 1))))))

  ;; y += a·x, for n values.
  (func (export "axpy") (param $y i32) (param $x i32) (param $n i32) (param $a f32)
    (local $v v128)
    (local.set $v (f32x4.splat (local.get $a)))
    (block $fours_end
      (loop $fours
        (br_if $fours_end (i32.lt_u (local.get $n) (i32.const 4)))
        (v128.store (local.get $y) (f32x4.add (v128.load (local.get $y)) (f32x4.mul (local.get $v) (v128.load (local.get $x)))))
        (local.set $y (i32.add (local.get $y) (i32.const 16)))
        (local.set $x (i32.add (local.get $x) (i32.const 16)))
        (local.set $n (i32.sub (local.get $n) (i32.const 4)))
        (br $fours)))
    (block $ones_end
      (loop $ones
        (br_if $ones_end (i32.eqz (local.get $n)))
        (f32.store (local.get $y) (f32.add (f32.load (local.get $y)) (f32.mul (local.get $a) (f32.load (local.get $x)))))
        (local.set $y (i32.add (local.get $y) (i32.const 4)))
        (local.set $x (i32.add (local.get $x) (i32.const 4)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $ones))))

  ;; y = a·y + b, for n values.
  (func (export "affine") (param $y i32) (param $n i32) (param $a f32) (param $b f32)
    (local $v v128) (local $w v128)
    (local.set $v (f32x4.splat (local.get $a)))
    (local.set $w (f32x4.splat (local.get $b)))
    (block $fours_end
      (loop $fours
        (br_if $fours_end (i32.lt_u (local.get $n) (i32.const 4)))
        (v128.store (local.get $y) (f32x4.add (f32x4.mul (v128.load (local.get $y)) (local.get $v)) (local.get $w)))
        (local.set $y (i32.add (local.get $y) (i32.const 16)))
        (local.set $n (i32.sub (local.get $n) (i32.const 4)))
        (br $fours)))
    (block $ones_end
      (loop $ones
        (br_if $ones_end (i32.eqz (local.get $n)))
        (f32.store (local.get $y) (f32.add (f32.mul (f32.load (local.get $y)) (local.get $a)) (local.get $b)))
        (local.set $y (i32.add (local.get $y) (i32.const 4)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $ones))))

  ;; y = min(max(y, a), b), for n values.
  (func (export "clamp") (param $y i32) (param $n i32) (param $a f32) (param $b f32)
    (local $v v128) (local $w v128)
    (local.set $v (f32x4.splat (local.get $a)))
    (local.set $w (f32x4.splat (local.get $b)))
    (block $fours_end
      (loop $fours
        (br_if $fours_end (i32.lt_u (local.get $n) (i32.const 4)))
        (v128.store (local.get $y) (f32x4.min (f32x4.max (v128.load (local.get $y)) (local.get $v)) (local.get $w)))
        (local.set $y (i32.add (local.get $y) (i32.const 16)))
        (local.set $n (i32.sub (local.get $n) (i32.const 4)))
        (br $fours)))
    (block $ones_end
      (loop $ones
        (br_if $ones_end (i32.eqz (local.get $n)))
        (f32.store (local.get $y) (f32.min (f32.max (f32.load (local.get $y)) (local.get $a)) (local.get $b)))
        (local.set $y (i32.add (local.get $y) (i32.const 4)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $ones)))))
