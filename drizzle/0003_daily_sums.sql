CREATE TABLE "daily_counts" (
	"day" date NOT NULL,
	"dims" smallint NOT NULL,
	"channel" text NOT NULL,
	"client_id" text NOT NULL,
	"issuer" text NOT NULL,
	"rule" text NOT NULL,
	"step" text NOT NULL,
	"outcome" text NOT NULL,
	"attempts" bigint NOT NULL,
	CONSTRAINT "daily_counts_pk" PRIMARY KEY("dims","day","client_id","issuer","rule","channel","step","outcome")
);
--> statement-breakpoint
CREATE TABLE "daily_durations" (
	"day" date NOT NULL,
	"dims" smallint NOT NULL,
	"channel" text NOT NULL,
	"client_id" text NOT NULL,
	"issuer" text NOT NULL,
	"rule" text NOT NULL,
	"step" text NOT NULL,
	"outcome" text NOT NULL,
	"bucket" smallint NOT NULL,
	"attempts" bigint NOT NULL,
	CONSTRAINT "daily_durations_pk" PRIMARY KEY("dims","day","client_id","issuer","rule","bucket","channel","step","outcome")
);
--> statement-breakpoint
CREATE TABLE "daily_facets" (
	"facet" text NOT NULL,
	"day" date NOT NULL,
	"channel" text NOT NULL,
	"value" text NOT NULL,
	"step" text NOT NULL,
	"outcome" text NOT NULL,
	"attempts" bigint NOT NULL,
	CONSTRAINT "daily_facets_pk" PRIMARY KEY("facet","day","value","channel","step","outcome")
);
--> statement-breakpoint
CREATE TABLE "daily_shadow" (
	"day" date NOT NULL,
	"version" integer NOT NULL,
	"differs" boolean NOT NULL,
	"channel" text NOT NULL,
	"outcome" text NOT NULL,
	"rule" text NOT NULL,
	"shadow_outcome" text NOT NULL,
	"shadow_rule" text NOT NULL,
	"step" text NOT NULL,
	"client_id" text NOT NULL,
	"issuer" text NOT NULL,
	"attempts" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dirty_hours" (
	"hour" timestamp (3) with time zone PRIMARY KEY NOT NULL,
	"marks" integer NOT NULL,
	"summed" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "hourly_totals" (
	"hour" timestamp (3) with time zone NOT NULL,
	"dims" smallint NOT NULL,
	"channel" text NOT NULL,
	"client_id" text NOT NULL,
	"issuer" text NOT NULL,
	"rule" text NOT NULL,
	"step" text NOT NULL,
	"outcome" text NOT NULL,
	"attempts" bigint NOT NULL,
	CONSTRAINT "hourly_totals_pk" PRIMARY KEY("dims","hour","client_id","issuer","rule","channel","step","outcome")
);
--> statement-breakpoint
CREATE TABLE "people_days" (
	"scope" integer NOT NULL,
	"day" date NOT NULL,
	"previous_day" date NOT NULL,
	"people" integer NOT NULL,
	CONSTRAINT "people_days_pk" PRIMARY KEY("scope","day","previous_day")
);
--> statement-breakpoint
CREATE TABLE "people_scopes" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "people_scopes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"value" text NOT NULL,
	CONSTRAINT "people_scopes_kind_value" UNIQUE("kind","value")
);
--> statement-breakpoint
CREATE TABLE "summed_until" (
	"id" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"until" timestamp (3) with time zone NOT NULL,
	"dropped_before" timestamp (3) with time zone NOT NULL,
	"vacuumed_at" timestamp (3) with time zone NOT NULL,
	"copied_at" timestamp (3) with time zone,
	CONSTRAINT "summed_until_one_row" CHECK ("summed_until"."id")
);
--> statement-breakpoint
CREATE TABLE "visits" (
	"person" uuid NOT NULL,
	"hour" timestamp(3) with time zone NOT NULL,
	"previous" timestamp(3) with time zone NOT NULL,
	"scope" integer NOT NULL,
	CONSTRAINT "visits_pk" PRIMARY KEY("scope","person","hour")
);
--> statement-breakpoint
-- From here on by hand. Replaces the days' aggregates by what the hourly tables hold: for months whose attempts are gone.
CREATE FUNCTION copy_hourly_sums(since timestamptz, before timestamptz) RETURNS void LANGUAGE sql AS $$
	delete from daily_counts where dims = any ('{0,1,2,3,4,5,6,7}')
		and day >= (since at time zone 'UTC')::date and day < (before at time zone 'UTC')::date;
	delete from hourly_totals where dims = any ('{0,1,2,4,6}') and hour >= since and hour < before;
	delete from daily_durations where dims = any ('{0,1,2,4}')
		and day >= (since at time zone 'UTC')::date and day < (before at time zone 'UTC')::date;
	insert into daily_counts (dims, day, channel, client_id, issuer, rule, step, outcome, attempts)
		select 7 - grouping(client_id, issuer, rule), (hour at time zone 'UTC')::date, channel,
			coalesce(client_id, ''), coalesce(issuer, ''), coalesce(rule, ''), step, outcome, sum(attempts)
		from hourly_counts where hour >= since and hour < before
		group by (hour at time zone 'UTC')::date, channel, step, outcome, cube (client_id, issuer, rule);
	insert into hourly_totals (dims, hour, channel, client_id, issuer, rule, step, outcome, attempts)
		select 7 - grouping(client_id, issuer, rule), hour, channel,
			coalesce(client_id, ''), coalesce(issuer, ''), coalesce(rule, ''), step, outcome, sum(attempts)
		from hourly_counts where hour >= since and hour < before
		group by hour, channel, step, outcome, grouping sets ((), client_id, issuer, rule, (client_id, issuer));
	insert into daily_durations (dims, day, channel, client_id, issuer, rule, step, outcome, bucket, attempts)
		select 7 - grouping(client_id, issuer, rule), (hour at time zone 'UTC')::date, channel,
			coalesce(client_id, ''), coalesce(issuer, ''), coalesce(rule, ''), step, outcome, bucket, sum(attempts)
		from hourly_durations where hour >= since and hour < before
		group by (hour at time zone 'UTC')::date, channel, step, outcome, bucket, grouping sets ((), client_id, issuer, rule);
$$;
--> statement-breakpoint
SELECT copy_hourly_sums(month, month + interval '1 month') FROM (
	select distinct date_trunc('month', hour, 'UTC') as month from hourly_counts
	where to_regclass('attempts_' || to_char(hour at time zone 'UTC', 'YYYY_MM')) is null
) AS gone;
--> statement-breakpoint
INSERT INTO "people_scopes" ("kind", "value")
	select distinct 'client', client_id from hourly_people where client_id <> '' and to_regclass('attempts_' || to_char(hour at time zone 'UTC', 'YYYY_MM')) is null
	union select 'all', '';
--> statement-breakpoint
INSERT INTO "visits" ("scope", "person", "hour", "previous")
	select id, person, hour, coalesce(lag(hour) over (partition by id, person order by hour), '-infinity')
	from (
		select distinct id, md5(object_id)::uuid as person, hour from hourly_people
		join people_scopes on kind = 'all' or kind = 'client' and value = client_id
		where to_regclass('attempts_' || to_char(hour at time zone 'UTC', 'YYYY_MM')) is null
	) as seen;
--> statement-breakpoint
INSERT INTO "people_days" ("scope", "day", "previous_day", "people")
	select scope, (hour at time zone 'UTC')::date, (previous at time zone 'UTC')::date, count(*)
	from visits where previous < date_trunc('day', hour, 'UTC') group by 1, 2, 3;
--> statement-breakpoint
-- Hours before the oldest partition are final. An empty database has nothing to copy.
INSERT INTO "summed_until" ("until", "dropped_before", "vacuumed_at", "copied_at")
	select final, final, now(), case when not exists (select from hourly_counts) and not exists (select from attempts) then now() end
	from (
		select coalesce((
			select date_trunc('month', max(hour), 'UTC') + interval '1 month' from hourly_counts where hour < coalesce((
				select min(make_timestamptz(substr(relname, 10, 4)::int, substr(relname, 15, 2)::int, 1, 0, 0, 0, 'UTC'))
				from pg_inherits join pg_class on pg_class.oid = inhrelid
				where inhparent = 'attempts'::regclass and relname ~ '^attempts_\d{4}_(0[1-9]|1[0-2])$'
			), 'infinity')
		), '2000-01-01T00:00:00Z'::timestamptz) as final
	) as known;
--> statement-breakpoint
CREATE INDEX "daily_counts_client" ON "daily_counts" USING btree ("client_id","dims","issuer","day") WHERE client_id <> '';
--> statement-breakpoint
CREATE INDEX "daily_counts_issuer" ON "daily_counts" USING btree ("issuer","dims","day") WHERE issuer <> '';
--> statement-breakpoint
CREATE INDEX "daily_counts_rule" ON "daily_counts" USING btree ("rule","dims","day") WHERE rule <> '';
--> statement-breakpoint
CREATE INDEX "daily_durations_client" ON "daily_durations" USING btree ("client_id","day") WHERE client_id <> '';
--> statement-breakpoint
CREATE INDEX "daily_durations_issuer" ON "daily_durations" USING btree ("issuer","day") WHERE issuer <> '';
--> statement-breakpoint
CREATE INDEX "daily_durations_rule" ON "daily_durations" USING btree ("rule","day") WHERE rule <> '';
--> statement-breakpoint
CREATE INDEX "daily_facets_day" ON "daily_facets" USING btree ("day");
--> statement-breakpoint
CREATE INDEX "daily_shadow_day" ON "daily_shadow" USING btree ("day");
--> statement-breakpoint
CREATE INDEX "people_days_day" ON "people_days" USING btree ("day");
--> statement-breakpoint
CREATE INDEX "people_days_none" ON "people_days" USING btree ("day") WHERE people = 0;
--> statement-breakpoint
CREATE INDEX "visits_hour" ON "visits" USING btree ("hour","scope");
--> statement-breakpoint
CREATE INDEX "visits_previous" ON "visits" USING btree ("previous","scope") WHERE previous > '-infinity';
--> statement-breakpoint
CREATE INDEX "attempts_rule" ON "attempts" USING btree ("rule","occurred_at","id") WHERE rule <> '';
--> statement-breakpoint
CREATE INDEX "attempts_outcome" ON "attempts" USING btree ("outcome","occurred_at","id") WHERE outcome <> 'continue';
--> statement-breakpoint
CREATE INDEX "attempts_reason" ON "attempts" USING btree ("reason","occurred_at","id") WHERE reason <> '';
--> statement-breakpoint
CREATE INDEX "attempts_degraded" ON "attempts" USING btree ("occurred_at","id") WHERE degraded <> '';
--> statement-breakpoint
CREATE FUNCTION mark_dirty_hours() RETURNS trigger LANGUAGE plpgsql AS $$ begin
	-- In the order of hours, so that two statements never wait for each other.
	insert into dirty_hours as known (hour, marks)
		select date_trunc('hour', occurred_at, 'UTC'), 1 from changed group by 1 order by 1
		on conflict (hour) do update set marks = known.marks + 1;
	return null;
end $$;
--> statement-breakpoint
CREATE TRIGGER "attempts_inserted" AFTER INSERT ON "attempts" REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION mark_dirty_hours();
--> statement-breakpoint
CREATE TRIGGER "attempts_updated" AFTER UPDATE ON "attempts" REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION mark_dirty_hours();
--> statement-breakpoint
CREATE TRIGGER "attempts_deleted" AFTER DELETE ON "attempts" REFERENCING OLD TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION mark_dirty_hours();
--> statement-breakpoint
INSERT INTO "dirty_hours" ("hour", "marks") select date_trunc('hour', occurred_at, 'UTC'), 1 from attempts group by 1
	on conflict (hour) do update set marks = dirty_hours.marks + 1;
