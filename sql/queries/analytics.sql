-- The analytics of the public interface. Parameters come as text; null takes the function's own default.

-- name: analyze_ohlcv
select * from pgbook.ohlcv($1, $2::timestamptz, $3::timestamptz, $4, coalesce($5, 'UTC'))

-- name: analyze_vwap
select * from pgbook.vwap($1, $2::timestamptz, $3::timestamptz, $4, coalesce($5, 'UTC'))

-- name: analyze_twap
select * from pgbook.twap($1, $2::timestamptz, $3::timestamptz, $4, coalesce($5, 'UTC'))

-- name: analyze_flow
select * from pgbook.flow($1, $2::timestamptz, $3::timestamptz, $4, coalesce($5, 'UTC'))

-- name: analyze_volume_profile
select * from pgbook.volume_profile($1, $2::timestamptz, $3::timestamptz, $4::integer)

-- name: analyze_sizes
select * from pgbook.sizes($1, $2::timestamptz, $3::timestamptz)

-- name: analyze_top
select * from pgbook.top($1, $2::timestamptz, $3::timestamptz, $4::integer)

-- name: analyze_volatility
select * from pgbook.volatility(
    $1, $2::timestamptz, $3::timestamptz, coalesce($4, '5m'), $5, coalesce($6::boolean, false), coalesce($7, 'UTC'))

-- name: analyze_spread
select * from pgbook.spread($1, $2::timestamptz, $3::timestamptz, $4::interval, $5, coalesce($6, 'UTC'))

-- name: analyze_markout
select * from pgbook.markout($1, $2::timestamptz, $3::timestamptz, $4::interval[], $5, $6, coalesce($7, 'UTC'))

-- name: analyze_slippage
select * from pgbook.slippage($1, $2::timestamptz, $3::timestamptz)

-- name: analyze_fills
select * from pgbook.fills($1, $2::timestamptz, $3::timestamptz, $4, coalesce($5, 'UTC'))

-- name: analyze_latency
select * from pgbook.latency($1, $2::timestamptz, $3::timestamptz, $4, coalesce($5, 'UTC'))
