ALTER TABLE ONLY public.spoke
    ADD CONSTRAINT spoke_a_b_fkey FOREIGN KEY (a, b) REFERENCES public.hub(a, b) MATCH FULL NOT VALID
	ALTER TABLE ONLY public.spoke VALIDATE CONSTRAINT spoke_a_b_fkey
ALTER TABLE ONLY public.spoke
    ADD CONSTRAINT spoke_code_fkey FOREIGN KEY (code) REFERENCES public.hub(code) NOT VALID
	ALTER TABLE ONLY public.spoke VALIDATE CONSTRAINT spoke_code_fkey
ALTER TABLE ONLY public.spoke
    ADD CONSTRAINT spoke_parent_fkey FOREIGN KEY (parent) REFERENCES public.spoke(id) DEFERRABLE NOT VALID
	ALTER TABLE ONLY public.spoke VALIDATE CONSTRAINT spoke_parent_fkey
ALTER TABLE ONLY public.spoke
    ADD CONSTRAINT to_hub FOREIGN KEY (hub_id) REFERENCES public.hub(id) ON DELETE CASCADE NOT VALID
	ALTER TABLE ONLY public.spoke VALIDATE CONSTRAINT to_hub
CREATE UNIQUE INDEX "Über" ON public.hub USING btree (b, a)
	ALTER TABLE ONLY public.hub ADD CONSTRAINT "Über" UNIQUE USING INDEX "Über" DEFERRABLE
CREATE UNIQUE INDEX hub_a_b_c_key ON public.hub USING btree (a, b) INCLUDE (c)
	ALTER TABLE ONLY public.hub ADD CONSTRAINT hub_a_b_c_key UNIQUE USING INDEX hub_a_b_c_key
CREATE UNIQUE INDEX hub_code_key ON public.hub USING btree (code)
	ALTER TABLE ONLY public.hub ADD CONSTRAINT hub_code_key UNIQUE USING INDEX hub_code_key
CREATE UNIQUE INDEX hub_d_key ON public.hub USING btree (d)
	ALTER TABLE ONLY public.hub ADD CONSTRAINT hub_d_key UNIQUE USING INDEX hub_d_key DEFERRABLE INITIALLY DEFERRED
CREATE UNIQUE INDEX own ON public.parted_2 USING btree (hub_id, id)
	ALTER TABLE ONLY public.parted_2 ADD CONSTRAINT own UNIQUE USING INDEX own
CREATE UNIQUE INDEX parted_1_pkey ON public.parted_1 USING btree (id)
	ALTER TABLE ONLY public.parted_1 ADD CONSTRAINT parted_1_pkey PRIMARY KEY USING INDEX parted_1_pkey
CREATE UNIQUE INDEX parted_2_pkey ON public.parted_2 USING btree (id)
	ALTER TABLE ONLY public.parted_2 ADD CONSTRAINT parted_2_pkey PRIMARY KEY USING INDEX parted_2_pkey
CREATE UNIQUE INDEX spoke_pkey ON public.spoke USING btree (id)
	ALTER TABLE ONLY public.spoke ADD CONSTRAINT spoke_pkey PRIMARY KEY USING INDEX spoke_pkey
