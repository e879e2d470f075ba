import { Alert, Button, Checkbox, Stack, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api } from "~/api/client";
import { Confirm } from "~/parts/Confirm";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { type DeliveryHeader, useReadAgain } from "../useHeader";
import { reasonOf } from "./reasonOf";
import { Why } from "./Why";

const KINDS = ["failed", "expired"] as const;
type Kind = (typeof KINDS)[number];

/** Let messages that failed, or were not delivered in time, go again. */
export function ResendButton({ header }: { header: DeliveryHeader }) {
  const say = useSay();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      {header.actions.resend !== "state" && (
        <Button
          variant="outline"
          disabled={header.actions.resend !== null}
          onClick={() => setOpen(true)}
        >
          {say("delivery.resend")}
        </Button>
      )}
      <Why reason={reasonOf(say, header.actions.resend)} />
      {isOpen && <ResendDialog header={header} onClose={() => setOpen(false)} />}
    </>
  );
}

type Props = { header: DeliveryHeader; onClose: () => void };

function ResendDialog({ header, onClose }: Props) {
  const say = useSay();
  const readAgain = useReadAgain(header.delivery);
  const [version] = useState(header.version);
  const [kinds, setKinds] = useState<readonly Kind[]>(["failed"]);
  const act = useMutation({
    mutationFn: () =>
      answerOf(
        api.POST("/api/v1/deliveries/{delivery_id}/resend", {
          params: { path: { delivery_id: header.delivery } },
          body: { version, kinds: [...kinds] },
        }),
      ),
    onSettled: readAgain,
  });
  const turn = (kind: Kind, isOn: boolean) =>
    setKinds(isOn ? [...kinds, kind] : kinds.filter((each) => each !== kind));
  return (
    <Confirm
      isOpen
      title={say("delivery.resend_title")}
      action={say("delivery.resend_now")}
      palette="orange"
      isBusy={act.isPending}
      isDisabled={kinds.length === 0 || act.isSuccess}
      onConfirm={() => act.mutate()}
      onClose={onClose}
    >
      <Stack gap={3}>
        <Text>{say("delivery.resend_means")}</Text>
        {KINDS.map((kind) => (
          <Checkbox.Root
            key={kind}
            checked={kinds.includes(kind)}
            onCheckedChange={({ checked }) => turn(kind, checked === true)}
          >
            <Checkbox.HiddenInput />
            <Checkbox.Control />
            <Checkbox.Label>{say(`delivery.resend_${kind}`)}</Checkbox.Label>
          </Checkbox.Root>
        ))}
        <div aria-live="polite">
          {act.data && (
            <Alert.Root status="info">
              <Alert.Indicator />
              <Alert.Title>{say("delivery.resent", { count: act.data.resent })}</Alert.Title>
            </Alert.Root>
          )}
        </div>
        {act.isError && <Trouble error={act.error} what={say("delivery.not_done")} isWrite />}
      </Stack>
    </Confirm>
  );
}
