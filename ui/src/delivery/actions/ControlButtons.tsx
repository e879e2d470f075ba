import { Button, HStack, Stack, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api } from "~/api/client";
import { Confirm } from "~/parts/Confirm";
import { Trouble } from "~/parts/Trouble";
import { useIsOff } from "~/switch/useSwitch";
import { useSay } from "~/words/useSay";
import { type DeliveryHeader, useReadAgain } from "../useHeader";
import { ResendButton } from "./ResendButton";
import { reasonOf } from "./reasonOf";
import { Why } from "./Why";

const CONTROLS = ["pause", "resume", "stop"] as const;
type Control = (typeof CONTROLS)[number];

/** Pause, resume and stop, whichever the state has a use for. */
export function ControlButtons({ header }: { header: DeliveryHeader }) {
  const say = useSay();
  const [open, setOpen] = useState<Control | null>(null);
  const isOff = useIsOff();
  const useful = CONTROLS.filter((each) => header.actions[each] !== "state");
  const barOf = (each: Control) =>
    header.actions[each] ?? (each === "resume" && isOff ? "switch" : null);
  const why = useful.map((each) => reasonOf(say, barOf(each))).find(Boolean) ?? "";
  return (
    <Stack gap={1} alignItems="start">
      <HStack wrap="wrap">
        {useful.map((each) => (
          <Button
            key={each}
            variant="outline"
            {...(each === "stop" ? { colorPalette: "red" } : {})}
            disabled={barOf(each) !== null}
            onClick={() => setOpen(each)}
          >
            {say(`delivery.${each}`)}
          </Button>
        ))}
        <ResendButton header={header} />
      </HStack>
      <Why reason={why} />
      {open && <ControlDialog header={header} control={open} onClose={() => setOpen(null)} />}
    </Stack>
  );
}

type Props = { header: DeliveryHeader; control: Control; onClose: () => void };

function ControlDialog({ header, control, onClose }: Props) {
  const say = useSay();
  const readAgain = useReadAgain(header.delivery);
  // What stood when the dialog was opened: that is what the person decides about.
  const [{ fingerprint, version }] = useState(header);
  const params = { path: { delivery_id: header.delivery } };
  const act = useMutation({
    mutationFn: () => {
      if (control === "resume") {
        const call = { params, body: { version } };
        return answerOf(api.POST("/api/v1/deliveries/{delivery_id}/resume", call));
      }
      const call = { params, body: { fingerprint } };
      return control === "pause"
        ? answerOf(api.POST("/api/v1/deliveries/{delivery_id}/pause", call))
        : answerOf(api.POST("/api/v1/deliveries/{delivery_id}/stop", call));
    },
    onSettled: readAgain,
    onSuccess: onClose,
  });
  return (
    <Confirm
      isOpen
      title={say(`delivery.${control}_title`)}
      action={say(`delivery.${control}_now`)}
      palette={control === "stop" ? "red" : "blue"}
      isBusy={act.isPending}
      onConfirm={() => act.mutate()}
      onClose={onClose}
    >
      <Text>{say(`delivery.${control}_means`)}</Text>
      {act.isError && <Trouble error={act.error} what={say("delivery.not_done")} isWrite />}
    </Confirm>
  );
}
