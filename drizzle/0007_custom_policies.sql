ALTER TABLE "attempts" ADD COLUMN "policy_id" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "ip_network" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "attempts" ADD COLUMN "caller_kind" text DEFAULT '' NOT NULL;