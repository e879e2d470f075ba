import { Checkbox, Field, Fieldset, Stack, Text, Textarea } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api, newKey } from "~/api/client";
import type { components } from "~/api/schema";
import { Confirm } from "~/parts/Confirm";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { useReadAgain } from "../useHeader";
import { linesOf, MOST_NUMBERS } from "./linesOf";
import { type ProofReport, Proofs, ProofTold } from "./Proofs";

type Pick = components["schemas"]["Pick"];
const PICKS: readonly Pick[] = [
  "longest",
  "shortest",
  "dearest",
  "each_encoding",
  "each_language",
  "each_parts",
];
type Props = { id: string; fingerprint: string; onClose: () => void };

/** Ask for test numbers and which messages, send the proof, and tell what became of it. */
export function ProofDialog({ id, fingerprint, onClose }: Props) {
  const say = useSay();
  const readAgain = useReadAgain(id);
  // One key as long as the dialog is open: pressing again never sends a second proof.
  const [key] = useState(newKey);
  const [written, setWritten] = useState("");
  const [picks, setPicks] = useState<readonly Pick[]>(["longest", "dearest", "each_language"]);
  const to = linesOf(written);
  const prove = useMutation({
    mutationFn: async () => {
      const told = await answerOf(
        api.POST("/api/v1/deliveries/{delivery_id}/proofs", {
          params: { path: { delivery_id: id }, header: { "Idempotency-Key": key } },
          body: { to, fingerprint, picks: [...picks], recipients: [], random: 0, mark: true },
        }),
      );
      return told as unknown as ProofReport;
    },
    onSettled: readAgain,
  });
  const told = prove.data;
  const turn = (pick: Pick, isOn: boolean) =>
    setPicks(isOn ? [...picks, pick] : picks.filter((each) => each !== pick));
  return (
    <Confirm
      isOpen
      title={say("delivery.prove_title")}
      action={say("delivery.prove_now")}
      isBusy={prove.isPending}
      isDisabled={
        to.length === 0 ||
        to.length > MOST_NUMBERS ||
        picks.length === 0 ||
        (told !== undefined && told.waiting === 0)
      }
      onConfirm={() => prove.mutate()}
      onClose={onClose}
    >
      <Stack gap={4}>
        <Text>{say("delivery.prove_means")}</Text>
        <Field.Root required disabled={told !== undefined} invalid={to.length > MOST_NUMBERS}>
          <Field.Label>{say("delivery.prove_numbers")}</Field.Label>
          <Textarea
            rows={3}
            value={written}
            autoComplete="off"
            onChange={({ target }) => setWritten(target.value)}
          />
          <Field.HelperText>
            {say("delivery.prove_how", { most: MOST_NUMBERS, count: to.length })}
          </Field.HelperText>
        </Field.Root>
        <Fieldset.Root disabled={told !== undefined}>
          <Fieldset.Legend>{say("delivery.prove_which")}</Fieldset.Legend>
          <Fieldset.Content>
            {PICKS.map((pick) => (
              <Checkbox.Root
                key={pick}
                checked={picks.includes(pick)}
                onCheckedChange={({ checked }) => turn(pick, checked === true)}
              >
                <Checkbox.HiddenInput />
                <Checkbox.Control />
                <Checkbox.Label>{say(`delivery.pick_${pick}`)}</Checkbox.Label>
              </Checkbox.Root>
            ))}
          </Fieldset.Content>
        </Fieldset.Root>
        <div aria-live="polite">{told && <ProofTold told={told} />}</div>
        {prove.isError && <Trouble error={prove.error} what={say("delivery.not_proved")} isWrite />}
        <Proofs id={id} />
      </Stack>
    </Confirm>
  );
}
