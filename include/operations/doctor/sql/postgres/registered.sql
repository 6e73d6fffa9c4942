select to_regclass('public.feature_views') is not null
